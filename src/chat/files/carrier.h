#pragma once

#include "chat/files/blob_fetch.h"
#include "chat/files/downloads.h"
#include "chat/files/hosts.h"
#include "chat/files/link_previews.h"
#include "chat/files/outside.h"
#include "chat/files/uploads.h"
#include "posthorn/chat/files.h"

namespace posthorn::chat {

/// The face of the room: what goes out, what comes in, and the hosts they share.
class FileCarrier final : public Files {
 public:
  FileCarrier(const MessageContext& context, FilesOutside outside, store::MediaStore& media)
      : context_{context, std::move(outside), media} {}

  [[nodiscard]] bool is_uploaded(const content::File& file) override;
  void upload(const content::File& file, Wall until, Once<void(Result<void>)> done) override;
  [[nodiscard]] bool has_preview(const content::Text& text) override {
    return previews_.knows(text);
  }
  void find_preview(const content::Text& text, Once<void()> done) override;
  Result<std::optional<content::File>> received(const std::string& ref) override;
  Result<std::optional<content::File>> in_message(const std::string& chat,
                                                  const std::string& message_id) override;
  void fetch(const std::string& ref, Once<void(Result<files::File>)> done) override;

  Uploads& uploads() { return uploads_; }
  LinkPreviews& previews() { return previews_; }
  BlobSource& blobs() { return blobs_; }
  void on_online() { uploads_.on_online(); }
  void on_media_retry(const wire::Node& notification) { downloads_.on_media_retry(notification); }
  void on_logged_out();

 private:
  FilesContext context_;
  MediaHosts hosts_{context_.context.line, context_.context.scheduler, context_.context.clock};
  Uploads uploads_{context_, hosts_};
  LinkPreviews previews_{context_, uploads_};
  Downloads downloads_{context_, hosts_};
  BlobFetch blobs_{context_, hosts_};
};

}  // namespace posthorn::chat
