#pragma once

#include <string>

#include "posthorn/base/blob_store.h"
#include "posthorn/base/random.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/fleet/identity.h"
#include "posthorn/fleet/updater.h"

namespace posthorn::fleet {

/// What was renamed or removed in the folder is so on the disk when this returns. Errors: io.
Result<void> sync_folder(const std::string& folder);
/// A small file, whole or not at all, on the disk when this returns; mode 0600. Errors: io.
Result<void> write_file(const std::string& path, std::string_view text);
/// At most `most` bytes. Errors: not_found, io, full.
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t most);

/// BlobStore as one file a value, "commands/3" as commands_3: save() returns when it is on disk.
class FileBlobs final : public BlobStore {
 public:
  FileBlobs(Scheduler& scheduler, std::string folder)
      : scheduler_(scheduler), folder_(std::move(folder)) {}
  Result<std::optional<Bytes>> load(std::string_view name) override;
  Result<void> save(std::string_view name, ByteView value) override;
  void durable(Once<void(Result<void>)> done) override;

 private:
  [[nodiscard]] std::string path_of(std::string_view name) const;
  Scheduler& scheduler_;
  std::string folder_;
};

/// Key and certificate as files: key.pem, certificate.pem, and those on trial with "new-" in front.
class FileIdentity final : public Identity {
 public:
  FileIdentity(Random& random, std::string folder) : random_(random), folder_(std::move(folder)) {}

  Result<CertificateFacts> current() override;
  Result<std::string> begin_renewal() override;
  Result<void> try_certificate(const std::string& pem, std::int64_t now) override;
  [[nodiscard]] bool on_trial() const override;
  Result<void> settle() override;
  void give_up_trial() override;

  /// Certificate and key for the next connection.
  [[nodiscard]] std::pair<std::string, std::string> files() const;

 private:
  [[nodiscard]] std::string at(const char* name) const { return folder_ + "/" + name; }
  Random& random_;
  std::string folder_;
};

/// The bundle that is on its way.
class BundleOnDisk final : public BundleFile {
 public:
  explicit BundleOnDisk(std::string path) : path_(std::move(path)) {}
  [[nodiscard]] std::uint64_t size() override;
  [[nodiscard]] std::uint64_t free_bytes() override;
  Result<void> append(ByteView piece) override;
  [[nodiscard]] Result<std::string> digest() override;
  void remove() override;
  [[nodiscard]] std::shared_ptr<net::HttpSource> source() override;

 private:
  std::string path_;
};

}  // namespace posthorn::fleet
