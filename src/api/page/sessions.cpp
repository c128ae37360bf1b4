#include "api/page/sessions.h"

#include <algorithm>

#include "posthorn/base/bytes.h"

namespace posthorn::api {

namespace {

constexpr std::size_t kIdBytes = 16;
constexpr std::size_t kHandle = 12;

std::string handle_of(const crypto::Sha256& digest) {
  return hex_encode(digest).substr(0, kHandle);
}

/// The value of one cookie of a header "a=1; b=2"; "" when it is not there.
std::string_view cookie_value(std::string_view header, std::string_view name) {
  while (!header.empty()) {
    const std::size_t end = std::min(header.find(';'), header.size());
    std::string_view one = header.substr(0, end);
    header.remove_prefix(std::min(end + 1, header.size()));
    one.remove_prefix(std::min(one.find_first_not_of(' '), one.size()));
    if (one.size() > name.size() && one.starts_with(name) && one[name.size()] == '=') {
      return one.substr(name.size() + 1);
    }
  }
  return {};
}

bool is_same_origin(const Request& request) {
  return request.fetch_site.empty() || request.fetch_site == "same-origin";
}

}  // namespace

PageSessions::PageSessions(Scheduler& scheduler, Random& random, std::uint64_t id_instance)
    : scheduler_(scheduler), random_(random), name_("posthorn_" + std::to_string(id_instance)) {}

/// A browser keeps cookies by host and not by port, and lets HTTP not touch those of HTTPS: boxes
/// behind one address, and the two ways to one box, have names of their own.
std::string PageSessions::cookie_name(bool secure) const {
  return secure ? "__Host-" + name_ : name_;
}

std::string PageSessions::cookie(const Request& request, const std::string& value,
                                 seconds life) const {
  return cookie_name(request.secure) + "=" + value +
         "; Path=/; HttpOnly; SameSite=Strict; Max-Age=" + std::to_string(life.count()) +
         (request.secure ? "; Secure" : "");
}

std::string PageSessions::open(const Request& request, Wall now) {
  drop_expired();
  if (sessions_.size() >= kMost) {
    sessions_.erase(std::min_element(
        sessions_.begin(), sessions_.end(),
        [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
  }
  const std::string id = hex_encode(random_.bytes(kIdBytes));
  const Mono mono = scheduler_.now();
  sessions_[crypto::sha256(as_bytes(id))] = {mono, mono, now, request.peer,
                                             hex_encode(random_.bytes(kIdBytes))};
  return cookie(request, id, kLongest);
}

std::string PageSessions::forget(const Request& request) const {
  return cookie(request, "", seconds(0));
}

PageSessions::Sessions::const_iterator PageSessions::find(const Request& request) const {
  const std::string_view id = cookie_value(request.cookie, cookie_name(request.secure));
  if (id.size() != 2 * kIdBytes) return sessions_.end();
  const auto found = sessions_.find(crypto::sha256(as_bytes(id)));
  if (found == sessions_.end()) return found;
  const Mono now = scheduler_.now();
  const bool over = now - found->second.used > kIdle || now - found->second.began > kLongest;
  return over ? sessions_.end() : found;
}

bool PageSessions::use(const Request& request) {
  const auto found = find(request);
  if (found == sessions_.end()) return false;
  sessions_.at(found->first).used = scheduler_.now();
  return true;
}

bool PageSessions::holds(const Request& request) {
  return request.from_page && is_same_origin(request) && use(request);
}

bool PageSessions::holds_plain(const Request& request) {
  return (is_same_origin(request) || request.fetch_site == "none") && use(request);
}

std::string PageSessions::form_token(const Request& request) const {
  const auto found = find(request);
  return found == sessions_.end() ? "" : found->second.form;
}

void PageSessions::close(const Request& request) {
  if (const auto found = find(request); found != sessions_.end()) sessions_.erase(found);
}

void PageSessions::close_others(const Request& request) {
  const auto own = find(request);
  const auto kept = own == sessions_.end() ? crypto::Sha256{} : own->first;
  std::erase_if(sessions_, [&kept](const auto& one) { return one.first != kept; });
}

bool PageSessions::close(std::string_view handle) {
  return std::erase_if(sessions_,
                       [handle](const auto& one) { return handle_of(one.first) == handle; }) > 0;
}

std::vector<PageSessions::Shown> PageSessions::list(const Request& request) {
  drop_expired();
  const auto own = find(request);
  std::vector<Shown> out;
  for (auto one = sessions_.cbegin(); one != sessions_.cend(); ++one) {
    const auto idle = std::chrono::duration_cast<seconds>(scheduler_.now() - one->second.used);
    out.push_back({handle_of(one->first), one->second.since, idle, one->second.peer, one == own});
  }
  return out;
}

void PageSessions::drop_expired() {
  const Mono now = scheduler_.now();
  std::erase_if(sessions_, [now](const auto& one) {
    return now - one.second.used > kIdle || now - one.second.began > kLongest;
  });
}

}  // namespace posthorn::api
