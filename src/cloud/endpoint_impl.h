#pragma once

#include <list>
#include <string>
#include <vector>

#include "cloud/graph_error.h"
#include "cloud/message_request.h"
#include "posthorn/api/file_bodies.h"
#include "posthorn/base/alive.h"
#include "posthorn/cloud/endpoint.h"

namespace posthorn::cloud {

/// "/v26.0/106540352242922/messages": the version and what stands behind it.
struct GraphPath {
  std::string version;  ///< "v26.0"; "" when none was written
  std::vector<std::string> parts;
};
[[nodiscard]] GraphPath parse_path(std::string_view path);

/// One request after its token; owns what answers it.
struct GraphCall {
  api::Request request;
  GraphPath path;
  json::Value body;  ///< {} when there was none
  api::Reply reply;

  void send(const json::Value& answer);
  void succeed();
};

class Endpoint::Impl {
 public:
  Impl(BoxIdentity& identity, Templates& templates, MediaIds& media, Outside outside);

  [[nodiscard]] bool is_webhook(std::string_view path) const;
  [[nodiscard]] api::Terms terms(const api::Request& head);
  void handle(api::Request request, api::Reply reply);
  void refuse(GraphCall& call, const GraphError& error);
  void refuse(GraphCall& call, const Error& error) { refuse(call, graph_error_of(error)); }
  [[nodiscard]] std::string callback_data_of(const std::string& message_id) const;
  void send_template(const std::string& chat, const Template& one, const json::Value& sent,
                     Once<void(Result<std::string>)> done);
  [[nodiscard]] Random& random() { return out_.random; }

 private:
  // endpoint.cpp: which call it is
  void hear(api::Request request, api::Reply reply);
  void route(GraphCall call);
  void on_number(GraphCall call);
  void on_business(GraphCall call);
  [[nodiscard]] bool take_rate();
  [[nodiscard]] bool is_media_post(const api::Request& request) const;
  [[nodiscard]] GraphError upload_refusal(const api::Request& request);
  void refuse_path(GraphCall& call);

  // endpoint_messages.cpp
  void messages(GraphCall call);
  void mark_read(GraphCall call);
  void check_target(GraphCall call, MessageRequest request);
  void send_message(GraphCall call, MessageRequest request);
  /// True, or the call has been answered.
  [[nodiscard]] bool apply_template(GraphCall& call, MessageRequest& request, Job& job);
  void queue(GraphCall call, MessageRequest request, Job job);
  void accept(GraphCall call, MessageRequest request, Job job);
  void answer_message(GraphCall& call, const MessageRequest& request, const std::string& id);
  void show_typing(const std::string& chat);
  [[nodiscard]] Job new_job(const MessageRequest& request) const;

  // endpoint_media.cpp
  [[nodiscard]] Result<std::unique_ptr<api::BodySink>> receive(const api::Request& head);
  void on_upload(GraphCall call, Result<api::Upload> upload);
  void show_media(GraphCall call);
  void send_media_bytes(GraphCall call);
  void delete_media(GraphCall call);
  void with_media_id(GraphCall call, MessageRequest request, Job job);
  void with_link(GraphCall call, MessageRequest request, Job job);
  void queue_file(GraphCall call, MessageRequest request, Job job, MediaIds::Media media);

  // endpoint_templates.cpp
  void templates(GraphCall call);
  void list_templates(GraphCall call);
  void on_template_id(GraphCall call, const Template& one);

  // endpoint_account.cpp
  void show_number(GraphCall call);
  void show_profile(GraphCall call);
  void list_numbers(GraphCall call);
  void show_business(GraphCall call);
  void show_token(GraphCall call);
  void subscriptions(GraphCall call);
  [[nodiscard]] json::Value number_json() const;

  BoxIdentity& identity_;
  Templates& templates_;
  MediaIds& media_;
  Outside out_;
  Ledger callbacks_;
  double tokens_ = 0;
  Mono filled_;
  struct Show {
    Show(Scheduler& scheduler, std::string to) : chat(std::move(to)), end(scheduler) {}
    std::string chat;
    Timer end;
  };
  std::list<Show> typing_;
  Alive<Impl> alive_{this};
};

}  // namespace posthorn::cloud
