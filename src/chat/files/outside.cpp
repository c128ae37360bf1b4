#include "chat/files/outside.h"

#include <algorithm>

namespace posthorn::chat {

net::HttpRequest media_request(const FilesContext& context, const std::string& host,
                               const std::string& path) {
  net::HttpRequest request;
  request.url = "https://" + host + path;
  request.headers = {{"Origin", "https://web.whatsapp.com"},
                     {"Referer", "https://web.whatsapp.com/"}};
  request.ca_file = context.outside.ca_file;
  request.proxy = context.outside.proxy;
  const auto& insecure = context.outside.insecure_hosts;
  const std::string name = host.substr(0, host.find(':'));
  request.any_certificate = std::find(insecure.begin(), insecure.end(), name) != insecure.end();
  return request;
}

}  // namespace posthorn::chat
