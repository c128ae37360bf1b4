#include "net/curl_library.h"

#include <dlfcn.h>

namespace posthorn::net {

namespace {

/// The flavour that uses GnuTLS, which libmicrohttpd has loaded already; the number is libcurl's
/// ABI, which the headers that we compile with belong to.
constexpr const char* kName = "libcurl-gnutls.so.4";

template <class F>
bool find(void* library, const char* name, F& function) {
  function = reinterpret_cast<F>(dlsym(library, name));
  return function != nullptr;
}

Result<const Curl*> load() {
  static Curl curl;
  // Never closed: libcurl does not support that after its global initialisation.
  void* library = dlopen(kName, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return fail(Errc::unsupported, dlerror());
  const bool complete = find(library, "curl_global_init", curl.global_init) &&
                        find(library, "curl_easy_init", curl.easy_init) &&
                        find(library, "curl_easy_cleanup", curl.easy_cleanup) &&
                        find(library, "curl_easy_setopt", curl.easy_setopt) &&
                        find(library, "curl_easy_getinfo", curl.easy_getinfo) &&
                        find(library, "curl_easy_pause", curl.easy_pause) &&
                        find(library, "curl_easy_strerror", curl.easy_strerror) &&
                        find(library, "curl_slist_append", curl.slist_append) &&
                        find(library, "curl_slist_free_all", curl.slist_free_all) &&
                        find(library, "curl_multi_init", curl.multi_init) &&
                        find(library, "curl_multi_cleanup", curl.multi_cleanup) &&
                        find(library, "curl_multi_setopt", curl.multi_setopt) &&
                        find(library, "curl_multi_add_handle", curl.multi_add_handle) &&
                        find(library, "curl_multi_remove_handle", curl.multi_remove_handle) &&
                        find(library, "curl_multi_socket_action", curl.multi_socket_action) &&
                        find(library, "curl_multi_info_read", curl.multi_info_read);
  if (!complete) return fail(Errc::unsupported, std::string(kName) + " lacks a function");
  if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    return fail(Errc::unsupported, std::string(kName) + " cannot start");
  }
  return &curl;
}

}  // namespace

Result<const Curl*> load_curl() {
  static const Result<const Curl*> kLoaded = load();
  return kLoaded;
}

}  // namespace posthorn::net
