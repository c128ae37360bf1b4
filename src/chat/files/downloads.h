#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "chat/files/hosts.h"
#include "chat/files/outside.h"

namespace posthorn::chat {

/// Brings files of received messages into the store: a few at once, each checked while it comes,
/// and asks our phone to upload what WhatsApp's hosts have dropped. Source: chapter 08 sections 5
/// and 6.
class Downloads {
 public:
  Downloads(const FilesContext& context, MediaHosts& hosts);
  ~Downloads();

  /// As Files::fetch().
  void get(const std::string& ref, Once<void(Result<files::File>)> done);
  /// <notification type="mediaretry">
  void on_media_retry(const wire::Node& notification);
  void forget();

 private:
  struct Download;
  using Kept = std::shared_ptr<Download>;

  void start_next();
  void run(const Kept& download);
  void ask(const Kept& download);
  void on_answer(const Kept& download, Result<net::HttpResponse> answer);
  void finish(const Kept& download);
  void try_again(const Kept& download, Error why);
  void on_gone(const Kept& download);
  bool ask_phone(const Kept& download);
  void try_other_message(const Kept& download, Error why);
  void done_with(const Kept& download, Result<files::File> result);

  const FilesContext& context_;
  MediaHosts& hosts_;
  std::map<std::string, Kept> open_;  ///< by ref
  std::vector<Kept> queue_;
  std::size_t running_ = 0;
  std::map<std::string, Mono> asked_phone_;  ///< by message id
  Alive<Downloads> alive_{this};
};

}  // namespace posthorn::chat
