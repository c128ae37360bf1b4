#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>

#include "chat/files/outside.h"
#include "chat/files/uploads.h"
#include "posthorn/base/content.h"
#include "posthorn/net/http_client.h"

namespace posthorn::chat {

/// What a text shows of the page that its first link leads to: title, description, a picture. The
/// box asks that page as the phones of shops would: at most 512 KiB of it and 2 MiB of its picture,
/// three redirects, 15 seconds for all of it, and nothing in a private network. What cannot be had
/// is left out, and the text goes as it is. Remembered: the newest 32, a day (10 minutes when there
/// was none), so that a menu for 200 customers is asked for once.
/// Source: chapter 07 section 3, chapter 08 section 8.
class LinkPreviews {
 public:
  LinkPreviews(const FilesContext& context, Uploads& uploads);
  ~LinkPreviews();

  /// Whether get() answers at once: it has no link, or that is remembered.
  [[nodiscard]] bool knows(const content::Text& text) const;
  /// done: the text with its preview, within 15 seconds or, behind many others, without one.
  void get(content::Text text, Once<void(content::Text)> done);

 private:
  struct Ask;
  struct Found;
  struct Fetch;
  using Kept = std::shared_ptr<Fetch>;

  [[nodiscard]] static std::optional<Ask> ask_of(const content::Text& text);
  static void apply(const Ask& ask, const content::Preview& found, content::Text& text);
  [[nodiscard]] const Found* recall(const std::string& key) const;
  void start_next();
  void get_page(const Kept& fetch);
  void on_page(const Kept& fetch, const std::string& html);
  void get_picture(const Kept& fetch);
  void on_picture(const Kept& fetch, Bytes picture);
  void store_picture(const Kept& fetch, const Bytes& picture);
  void upload(const Kept& fetch, const std::string& ref);
  void end(const Kept& fetch);
  [[nodiscard]] net::HttpRequest request_of(const std::string& url) const;

  const FilesContext& context_;
  Uploads& uploads_;
  std::map<std::string, Found> known_;
  std::map<std::string, Kept> open_;
  std::deque<Kept> queue_;  ///< not running, in order
  std::size_t running_ = 0;
  std::uint64_t asked_ = 0;
  Alive<LinkPreviews> alive_{this};
};

}  // namespace posthorn::chat
