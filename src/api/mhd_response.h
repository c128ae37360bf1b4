#pragma once

#include <microhttpd.h>

#include <memory>
#include <string>

#include "posthorn/api/http.h"

namespace posthorn::api {

struct DropResponse {
  void operator()(MHD_Response* response) const { MHD_destroy_response(response); }
};
using ResponseHandle = std::unique_ptr<MHD_Response, DropResponse>;

/// mode PERSISTENT: the body stays where it is, and its owner keeps it until the request has
/// completed. Null: no memory.
[[nodiscard]] ResponseHandle to_mhd(const Response& response, bool any_origin,
                                    MHD_ResponseMemoryMode mode);
/// The same for a body that is made while it is taken; reader gets `self`.
[[nodiscard]] ResponseHandle to_mhd(const Response& response, bool any_origin,
                                    MHD_ContentReaderCallback reader, void* self);

/// Clients poll, and most polls have the same short answer as the one before: making MHD's object
/// for it anew costs a tenth of the whole request.
class LastResponse {
 public:
  static constexpr std::size_t kLongest = 256;

  /// Null: this response is not one to keep.
  MHD_Response* find_or_make(const Response& response, bool any_origin);

 private:
  ResponseHandle mhd_;
  std::string body_;
  std::string content_type_;
  bool no_content_ = false;
  bool any_origin_ = false;
};

}  // namespace posthorn::api
