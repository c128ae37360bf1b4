#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "posthorn/base/blob_store.h"
#include "posthorn/base/json.h"
#include "posthorn/base/random.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/fleet/agent.h"
#include "posthorn/fleet/box_api.h"
#include "posthorn/fleet/settings.h"
#include "posthorn/net/http_client.h"

namespace posthorn::fleet {

/// A file that grows, from outside: the bundle on its way. One at a time.
class BundleFile {
 public:
  virtual ~BundleFile() = default;

  /// Bytes that are there.
  [[nodiscard]] virtual std::uint64_t size() = 0;
  [[nodiscard]] virtual std::uint64_t free_bytes() = 0;
  virtual Result<void> append(ByteView piece) = 0;
  /// On the disk, and its SHA-256 in hex. Reads it all.
  [[nodiscard]] virtual Result<std::string> digest() = 0;
  virtual void remove() = 0;
  /// What an upload sends.
  [[nodiscard]] virtual std::shared_ptr<net::HttpSource> source() = 0;
};

/// New versions: fetched from a server, checked, handed to the daemon (which hands them to RAUC),
/// and called good only when the new version has run for a while. Where it stands is on disk, so a
/// power cut neither repeats a report nor loses one. Speaks hawkBit's Direct Device Integration
/// where fleet.toml names a server; the command "update" gives URL and digest instead.
class Updater {
 public:
  struct Outside {
    Scheduler& scheduler;
    Random& random;
    BlobStore& blobs;
    BoxApi& box;
    net::HttpClient& http;
    BundleFile& file;
    std::string box_id;
    /// Where the daemon takes an upload: "http://127.0.0.1:80/waInstance1/uploadUpdate/TOKEN".
    std::function<std::string()> upload_url;
    /// The slot that runs now: "A"; empty: this computer has none. And which start of the kernel.
    std::function<std::string()> slot;
    std::string boot_id;
    Facts facts;
    /// The shop's minutes since midnight; nullopt: nobody knows.
    std::function<std::optional<int>()> minute_of_day;
  };

  Updater(Outside outside, const Settings& settings);
  Updater(const Updater&) = delete;
  Updater& operator=(const Updater&) = delete;
  ~Updater();

  void start();
  /// An update by command: {"url","sha256","size","forced"}. Taken means that it is on its way; how
  /// it ends is told by state() and on_failed. Errors: malformed, busy (another one is under way).
  Result<void> update(const std::string& key, const json::Value& args);
  /// "idle", "downloading", "waiting for the closed hours", "installing", "proving itself",
  /// "failed: …", "done: …".
  [[nodiscard]] std::string state() const;
  /// Why the last update failed; empty: it did not, or there was none.
  [[nodiscard]] std::string failure() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace posthorn::fleet
