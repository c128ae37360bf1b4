#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>

#include "posthorn/api/http.h"
#include "posthorn/base/result.h"
#include "posthorn/files/store.h"

/// Files over HTTP: bodies that go into files::Store and come out of it without being in memory.
namespace posthorn::api {

/// What came with one upload.
struct Upload {
  files::File file;
  std::string file_name;                      ///< as its sender calls it; "" when not said
  std::string said_type;                      ///< the type that its sender says
  std::map<std::string, std::string> fields;  ///< the other fields of a form
};

/// Takes the body of `head` into the store: as it is (curl -T), or the first file of a
/// multipart/form-data form (curl -F file=@…), whose other fields have 64 KiB together.
/// most: bytes of the file; what comes behind them is dropped, so that its sender gets the answer.
/// done: whole and on disk, or why not; answers. Errors: full (told before the body comes, when its
/// length is known), busy, malformed (form), refused (the file is longer than `most`).
[[nodiscard]] Result<std::unique_ptr<BodySink>> receive_file(
    files::Store& store, const Request& head,
    Function<void(Result<Upload> upload, Reply reply)> done,
    std::uint64_t most = std::numeric_limits<std::uint64_t>::max());

/// Answers with a file: Range (one), If-Range, HEAD, ETag (the SHA-256), If-None-Match,
/// Last-Modified. save_as: suggested name, "" for none. 404: there is no such file.
void send_file(files::Store& store, const std::string& ref, const Request& request,
               const std::string& save_as, Reply reply);

}  // namespace posthorn::api
