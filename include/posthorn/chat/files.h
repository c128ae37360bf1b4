#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "posthorn/base/content.h"
#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/base/time.h"
#include "posthorn/base/worker.h"
#include "posthorn/files/store.h"

namespace posthorn::net {
class HttpClient;
}

namespace posthorn::chat {

/// Files are larger than this on neither way (Green-API's limit).
inline constexpr std::uint64_t kLargestFile = 100'000'000;

/// What carrying files needs from outside. Everything given outlives the chat.
struct FilesOutside {
  Worker& worker;
  net::HttpClient& http;
  files::Store& store;
  std::string ca_file = {};  ///< PEM; who vouches for media hosts; empty: system
  std::vector<std::string> insecure_hosts = {};  ///< "127.0.0.1": stand-ins whose certificate
                                                 ///< nobody vouches for
  std::string proxy = {};                        ///< of the way to WhatsApp; empty: straight
  bool private_links = false;  ///< previews of links into the shop's own network, too
  bool resume_check = true;    ///< ask before a large upload how much of it the host has
};

/// Files of messages: from the store to WhatsApp's media hosts, and from there into the store.
class Files {
 public:
  virtual ~Files() = default;

  /// Whether a message with that file may be sent now, its bytes lying at WhatsApp's host.
  [[nodiscard]] virtual bool is_uploaded(const content::File& file) = 0;
  /// Brings it there, and tries again until then. done: as Uploads::get(): not_found (it is not on
  /// the box any more), refused (WhatsApp does not take it), timeout (`until` came).
  virtual void upload(const content::File& file, Wall until, Once<void(Result<void>)> done) = 0;

  /// Whether a text has the preview of its link, or needs none.
  [[nodiscard]] virtual bool has_preview(const content::Text& text) = 0;
  /// Looks for it. done: there is one, or there will be none; within 15 seconds of its turn.
  virtual void find_preview(const content::Text& text, Once<void()> done) = 0;

  /// What a message said about a file that came in; nullopt: none did, or long ago.
  [[nodiscard]] virtual Result<std::optional<content::File>> received(const std::string& ref) = 0;
  /// The file of a message that is remembered, of either direction; nullopt: unknown, or without a
  /// file. chat: chatId. Errors: malformed (chat), io.
  [[nodiscard]] virtual Result<std::optional<content::File>> in_message(
      const std::string& chat, const std::string& message_id) = 0;
  /// Brings a received file into the store; at once when it is there. Errors: not_found (no message
  /// brought it, or neither WhatsApp nor the phone has it any more), crypto (other bytes than the
  /// message names), full (too large, or no room), disconnected, timeout, io.
  virtual void fetch(const std::string& ref, Once<void(Result<files::File>)> done) = 0;
};

}  // namespace posthorn::chat
