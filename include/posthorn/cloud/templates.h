#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "posthorn/base/blob_store.h"
#include "posthorn/base/json.h"
#include "posthorn/base/random.h"
#include "posthorn/base/result.h"
#include "posthorn/base/time.h"
#include "posthorn/cloud/ledger.h"

namespace posthorn::cloud {

/// One message template, per name and language. Nobody reviews those of the box: what it sends by
/// the own account needs no permission.
struct Template {
  std::string id;  ///< digits
  std::string name, language;
  std::string category;          ///< UTILITY, MARKETING, AUTHENTICATION
  std::string parameter_format;  ///< POSITIONAL or NAMED
  json::Value components;        ///< as the client gave them
  std::uint64_t sent = 0;
  std::uint64_t replied = 0;  ///< of those sent: whoever got it wrote within a day
};

/// As the API shows one.
[[nodiscard]] json::Value to_json(const Template& one);

/// The templates that live on the box, in one blob.
class Templates {
 public:
  static constexpr std::size_t kMost = 250;
  static constexpr std::size_t kBytes = std::size_t{256} << 10;

  /// blobs and random outlive this. A damaged blob is logged and counts as none.
  Templates(BlobStore& blobs, Random& random);

  /// body: the POST's. Errors: not_found (a member is missing), malformed (a value; a template of
  /// that name and language is there), full (kMost, kBytes), io.
  [[nodiscard]] Result<Template> create(const json::Value& body);
  /// How many went; 0: there was none. language: "" for all.
  [[nodiscard]] Result<std::size_t> remove(const std::string& name, const std::string& id);

  [[nodiscard]] const std::vector<Template>& all() const { return templates_; }
  [[nodiscard]] const Template* find(const std::string& name, const std::string& language) const;
  [[nodiscard]] const Template* find_id(const std::string& id) const;

  /// Somebody is sent it. at: now.
  void on_sent(const Template& one, const std::string& chat, Wall at);
  /// Somebody wrote; counts once for the template that they were sent last, within a day of it.
  void on_reply(const std::string& chat, Wall at);

 private:
  Result<void> save() const;
  void save_use();

  BlobStore& blobs_;
  Random& random_;
  std::vector<Template> templates_;
  Ledger sent_to_;  ///< by chat: "ID UNIX-SECONDS"
};

}  // namespace posthorn::cloud
