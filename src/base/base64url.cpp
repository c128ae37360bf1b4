#include "posthorn/base/base64url.h"

#include <algorithm>

namespace posthorn {

std::string base64url_encode(ByteView bytes) {
  std::string out = base64_encode(bytes);
  while (!out.empty() && out.back() == '=') out.pop_back();
  std::ranges::replace(out, '+', '-');
  std::ranges::replace(out, '/', '_');
  return out;
}

}  // namespace posthorn
