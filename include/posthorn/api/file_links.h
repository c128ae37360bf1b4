#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "posthorn/api/http.h"
#include "posthorn/base/blob_store.h"
#include "posthorn/base/content.h"
#include "posthorn/base/random.h"
#include "posthorn/base/result.h"
#include "posthorn/base/time.h"

namespace posthorn::api {

/// Links to files: "http://BOX/files/REF-SEAL/name.jpg". Who has one may read that file and no
/// other, without a token: the seal is made with a key of this box, so that nobody can write a link
/// himself. The same file under the same name has the same link on every day.
class FileLinks {
 public:
  struct Options {
    std::string public_url =
        {};  ///< what stands before "/files"; empty: as the till called the box
    std::string scheme = "http";  ///< of a link by the box's own name
  };
  /// blobs outlives the links. Errors: io.
  [[nodiscard]] static Result<std::unique_ptr<FileLinks>> load(BlobStore& blobs, Random& random,
                                                               Options options);

  /// host: the request's, "box.lan:8080"; empty: the one that the till used last.
  [[nodiscard]] std::string link_to(const content::File& file, const std::string& host) const;
  /// For what is told without being asked: the host that the till used last.
  [[nodiscard]] std::string link_to(const content::File& file) const;
  /// Somebody with a right has called the box by request.host. Counts when it came by the links'
  /// scheme, since the other one has another port. The names that the box's page and programs on
  /// the box itself use are not the till's: they count only while there is no other. Saved at most
  /// every ten minutes.
  void on_called(const Request& request, Mono now);
  /// Fills in the link of a file and of a quoted one.
  void fill_in(Content& content) const;

  struct Target {
    std::string ref;
    std::string name;  ///< for whoever saves it; may be empty
  };
  /// What stands behind the host. nullopt: no link of ours.
  [[nodiscard]] std::optional<Target> read(std::string_view path) const;
  /// The same of a whole link, when it leads to this box; for urlFile.
  [[nodiscard]] std::optional<Target> read_url(std::string_view url) const;

 private:
  FileLinks(BlobStore& blobs, Bytes key, Options options)
      : blobs_(blobs), key_(std::move(key)), options_(std::move(options)) {}
  [[nodiscard]] std::string seal_of(std::string_view ref) const;
  [[nodiscard]] std::string path_to(const content::File& file) const;

  BlobStore& blobs_;
  Bytes key_;
  Options options_;
  std::string called_;
  std::string kept_;              ///< what of called_ was saved
  std::optional<Mono> saved_at_;  ///< or tried to
};

/// fileName as notifications show it: of a document its own, else made of the file.
[[nodiscard]] std::string shown_file_name(const content::File& file);

}  // namespace posthorn::api
