#include "api/mhd_response.h"

namespace posthorn::api {

namespace {

constexpr std::size_t kStreamBlock = std::size_t{16} << 10;

void add_headers(MHD_Response* out, const Response& response, bool any_origin) {
  if (out == nullptr) return;
  if (response.status != MHD_HTTP_NO_CONTENT && response.status != MHD_HTTP_NOT_MODIFIED) {
    MHD_add_response_header(out, MHD_HTTP_HEADER_CONTENT_TYPE, response.content_type.c_str());
  }
  if (any_origin) {
    MHD_add_response_header(out, MHD_HTTP_HEADER_ACCESS_CONTROL_ALLOW_ORIGIN, "*");
  }
  for (const auto& [name, value] : response.headers) {
    MHD_add_response_header(out, name.c_str(), value.c_str());
  }
}

}  // namespace

ResponseHandle to_mhd(const Response& response, bool any_origin, MHD_ResponseMemoryMode mode) {
  ResponseHandle out(MHD_create_response_from_buffer(
      response.body.size(), const_cast<char*>(response.body.data()), mode));
  add_headers(out.get(), response, any_origin);
  return out;
}

ResponseHandle to_mhd(const Response& response, bool any_origin, MHD_ContentReaderCallback reader,
                      void* self) {
  ResponseHandle out(MHD_create_response_from_callback(
      response.stream_size.value_or(MHD_SIZE_UNKNOWN), kStreamBlock, reader, self, nullptr));
  add_headers(out.get(), response, any_origin);
  return out;
}

MHD_Response* LastResponse::find_or_make(const Response& response, bool any_origin) {
  if (response.body.size() > kLongest || !response.headers.empty() || response.stream ||
      response.opened) {
    return nullptr;
  }
  const bool no_content = response.status == MHD_HTTP_NO_CONTENT;
  if (!mhd_ || response.body != body_ || response.content_type != content_type_ ||
      no_content != no_content_ || any_origin != any_origin_) {
    mhd_ = to_mhd(response, any_origin, MHD_RESPMEM_MUST_COPY);
    body_ = response.body;
    content_type_ = response.content_type;
    no_content_ = no_content;
    any_origin_ = any_origin;
  }
  return mhd_.get();
}

}  // namespace posthorn::api
