#pragma once

// Its type checks look at the functions by name, which are not linked here.
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#include "posthorn/base/result.h"

namespace posthorn::net {

/// The functions of libcurl that we call.
struct Curl {
  decltype(&::curl_global_init) global_init;
  decltype(&::curl_easy_init) easy_init;
  decltype(&::curl_easy_cleanup) easy_cleanup;
  decltype(&::curl_easy_setopt) easy_setopt;
  decltype(&::curl_easy_getinfo) easy_getinfo;
  decltype(&::curl_easy_pause) easy_pause;
  decltype(&::curl_easy_strerror) easy_strerror;
  decltype(&::curl_slist_append) slist_append;
  decltype(&::curl_slist_free_all) slist_free_all;
  decltype(&::curl_multi_init) multi_init;
  decltype(&::curl_multi_cleanup) multi_cleanup;
  decltype(&::curl_multi_setopt) multi_setopt;
  decltype(&::curl_multi_add_handle) multi_add_handle;
  decltype(&::curl_multi_remove_handle) multi_remove_handle;
  decltype(&::curl_multi_socket_action) multi_socket_action;
  decltype(&::curl_multi_info_read) multi_info_read;
};

/// libcurl, loaded and initialised at the first call and kept from then on. A shop that polls for
/// its notifications never needs it, and it brings some twenty libraries along (Kerberos, LDAP, SSH
/// and so on). DECISIONS.md 63 has the figures.
/// Errors: unsupported (not installed, or it cannot start).
[[nodiscard]] Result<const Curl*> load_curl();

}  // namespace posthorn::net
