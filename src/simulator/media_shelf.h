#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "posthorn/base/bytes.h"
#include "posthorn/base/random.h"
#include "posthorn/simulator/media_rule.h"
#include "posthorn/simulator/simulator.h"

namespace posthorn::simulator {

/// What lies at the media host: encrypted bytes by path, in memory. Source: chapter 13 part B, 08.
class MediaShelf {
 public:
  explicit MediaShelf(Random& random) : random_(random) {}

  /// POST /mms/TYPE/TOKEN?auth=…&token=…, with resume=1 or file_offset=N.
  [[nodiscard]] MediaAnswer upload(const std::string& path,
                                   const std::map<std::string, std::string>& query, Bytes body);
  /// GET by path, whatever its query.
  [[nodiscard]] MediaAnswer download(const std::string& path);
  /// Puts bytes there as a phone would; gives the path.
  std::string put(const std::string& type, Bytes sealed);
  /// The bytes are under a new path, as after a phone has uploaded them again; empty: they never
  /// were here.
  [[nodiscard]] std::string put_again(const std::string& path);
  [[nodiscard]] const Bytes* find(const std::string& path) const;
  /// Every file has expired: 404 from here on.
  void expire_all();

  void add_rule(const MediaRule& rule) { rules_.push_back(rule); }
  void clear_rules() { rules_.clear(); }

  [[nodiscard]] std::uint64_t uploads() const { return uploads_; }
  [[nodiscard]] std::uint64_t downloads() const { return downloads_; }
  [[nodiscard]] std::size_t count() const { return files_.size(); }
  /// Where clients find the host: "127.0.0.1:PORT".
  std::string host = "127.0.0.1";

 private:
  using Held = std::shared_ptr<const Bytes>;
  [[nodiscard]] MediaRule next_rule(MediaRule::On on);
  [[nodiscard]] MediaAnswer stored(const std::string& path) const;

  Random& random_;
  std::map<std::string, Held> files_;
  std::map<std::string, Held> expired_;
  std::map<std::string, Bytes> begun_;  ///< uploads that were cut
  std::vector<MediaRule> rules_;
  std::uint64_t uploads_ = 0;
  std::uint64_t downloads_ = 0;
};

}  // namespace posthorn::simulator
