#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "chat/files/hosts.h"
#include "chat/files/kinds.h"
#include "chat/files/looks.h"
#include "chat/files/outside.h"
#include "posthorn/base/content.h"

namespace posthorn::chat {

/// Brings files to WhatsApp's media hosts: each once, however many messages bring it, and each
/// again and again until the host has it or nobody waits for it any longer. What fails here is ours
/// and the network's, and is charged to nobody. Source: chapter 08 sections 3 and 4.
class Uploads {
 public:
  explicit Uploads(const FilesContext& context, MediaHosts& hosts);
  ~Uploads();

  /// Where the file lies, while that is known and fresh.
  [[nodiscard]] Result<std::optional<content::MediaPlace>> find(const std::string& ref,
                                                                const MediaGroup& group);
  [[nodiscard]] Result<std::optional<content::MediaPlace>> find(const content::File& file) {
    return find(file.ref, media_group(file.kind));
  }
  /// done: it lies there. Errors: not_found (it is not on the box any more), refused (WhatsApp does
  /// not take it), timeout (`until` came; the detail says what stood in the way), io.
  void get(const std::string& ref, const MediaGroup& group, Wall until,
           Once<void(Result<content::MediaPlace>)> done);
  void get(const content::File& file, Wall until, Once<void(Result<content::MediaPlace>)> done) {
    get(file.ref, media_group(file.kind), until, std::move(done));
  }
  void on_online();
  /// done: the file with what a message says of it: thumbnail, pixels, seconds.
  void look(content::File file, Once<void(content::File)> done) {
    looks_.complete(std::move(file), std::move(done));
  }
  /// Logged out: what was uploaded belongs to nobody.
  void forget();

 private:
  struct Upload;
  using Kept = std::shared_ptr<Upload>;

  void start_next();
  void run(const Kept& upload);
  void outline(const Kept& upload);
  void on_outline(const Kept& upload, Result<Bytes> mac_and_hash);
  void ask_hosts(const Kept& upload);
  void check_resume(const Kept& upload);
  void on_resume(const Kept& upload, const Result<net::HttpResponse>& answer);
  void post(const Kept& upload, std::uint64_t from);
  void on_posted(const Kept& upload, Result<net::HttpResponse> answer);
  void try_other_host(const Kept& upload, Error why);
  void try_later(const Kept& upload, Error why);
  void done_with(const Kept& upload, Result<content::MediaPlace> result);
  void keep(const Upload& upload);
  void end_waiters();
  [[nodiscard]] std::string url_of(const Upload& upload) const;

  const FilesContext& context_;
  MediaHosts& hosts_;
  Looks looks_{context_};
  std::map<std::string, Kept> open_;  ///< by ref and group
  std::vector<Kept> queue_;           ///< not running, in order
  std::size_t running_ = 0;
  Timer deadline_;
  Alive<Uploads> alive_{this};
};

}  // namespace posthorn::chat
