#pragma once

#include <string>

#include "posthorn/api/ports.h"
#include "posthorn/files/store.h"
#include "posthorn/net/http_client.h"

namespace posthorn::daemon {

/// Fetches what a till names by its address (sendFileByUrl) into the store: at most 100 MB, two
/// minutes and five redirects, and nothing out of private networks unless that is allowed.
class FileFetcher {
 public:
  /// Both outlive this.
  FileFetcher(net::HttpClient& http, files::Store& store, bool private_addresses)
      : http_(http), store_(store), private_addresses_(private_addresses) {}

  /// Errors: full (larger than 100 MB, or no room), busy (too many at once), refused (the server's
  /// status, a private address), and as HttpClient::send().
  /// authorization: the header's value; empty: none is sent.
  void fetch(const std::string& url, Once<void(Result<api::FetchedFile>)> done,
             const std::string& authorization = {});

 private:
  net::HttpClient& http_;
  files::Store& store_;
  bool private_addresses_;
};

}  // namespace posthorn::daemon
