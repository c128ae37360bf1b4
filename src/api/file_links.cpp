#include "posthorn/api/file_links.h"

#include <utility>

#include "posthorn/base/crypto.h"
#include "posthorn/base/log.h"
#include "posthorn/base/media_type.h"
#include "posthorn/base/percent_encode.h"

namespace posthorn::api {
namespace {

constexpr const char* kBlob = "api/file_links";
constexpr const char* kCalledBlob = "api/file_links_host";
constexpr std::string_view kPath = "/files/";
constexpr std::string_view kTooLarge = "{{SWE002}}";
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kRefDigits = 64;
constexpr std::size_t kSealBytes = 10;
constexpr minutes kSavedEvery{10};
constexpr std::uint64_t kLargest = 100'000'000;

}  // namespace

std::string shown_file_name(const content::File& file) {
  if (!file.name.empty()) return file.name;
  constexpr std::size_t kShort = 16;
  const std::string stem = file.ref.empty() ? "file" : file.ref.substr(0, kShort);
  return stem + "." + std::string(ending_of(file.mime));
}

Result<std::unique_ptr<FileLinks>> FileLinks::load(BlobStore& blobs, Random& random,
                                                   Options options) {
  TRY(auto key, blobs.load(kBlob));
  if (!key || key->size() != kKeyBytes) {
    key = random.bytes(kKeyBytes);
    TRY(blobs.save(kBlob, *key));
  }
  TRY(const auto called, blobs.load(kCalledBlob));
  while (options.public_url.ends_with("/")) options.public_url.pop_back();
  std::unique_ptr<FileLinks> links(new FileLinks(blobs, std::move(*key), std::move(options)));
  if (called) links->called_ = links->kept_ = to_string(*called);
  return links;
}

std::string FileLinks::seal_of(std::string_view ref) const {
  return hex_encode(ByteView(crypto::hmac_sha256(key_, as_bytes(ref))).first(kSealBytes));
}

std::string FileLinks::path_to(const content::File& file) const {
  const std::string name = file_name_in(shown_file_name(file));
  return std::string(kPath) + file.ref + "-" + seal_of(file.ref) + "/" + percent_encode(name);
}

std::string FileLinks::link_to(const content::File& file, const std::string& host) const {
  if (file.size > kLargest) return std::string(kTooLarge);
  if (file.ref.size() != kRefDigits) return "";
  if (!options_.public_url.empty()) return options_.public_url + path_to(file);
  const std::string& name = host.empty() ? called_ : host;
  return name.empty() ? "" : options_.scheme + "://" + name + path_to(file);
}

std::string FileLinks::link_to(const content::File& file) const { return link_to(file, called_); }

void FileLinks::on_called(const Request& request, Mono now) {
  if (request.host.empty() || request.secure != (options_.scheme == "https")) return;
  const bool of_the_till = !request.local && !request.from_page;
  if (of_the_till || called_.empty()) called_ = request.host;
  // After a restart notifications go out before anybody has called. Two tills that call the box by
  // two names must not cost a commit for each request.
  if (called_ == kept_ || (saved_at_ && now - *saved_at_ < kSavedEvery)) return;
  saved_at_ = now;
  if (auto kept = blobs_.save(kCalledBlob, as_bytes(called_)); !kept) {
    log::warn("api", "the box's name in links is not kept", {{"error", kept.error()}});
    return;
  }
  kept_ = called_;
}

void FileLinks::fill_in(Content& content) const {
  if (auto* file = std::get_if<content::File>(&content.what)) file->link = link_to(*file);
  if (content.quote && content.quote->file) {
    content.quote->file->link = link_to(*content.quote->file);
  }
}

std::optional<FileLinks::Target> FileLinks::read(std::string_view path) const {
  if (!path.starts_with(kPath)) return std::nullopt;
  path.remove_prefix(kPath.size());
  const std::size_t slash = path.find('/');
  const std::string_view sealed = path.substr(0, slash);
  if (sealed.size() != kRefDigits + 1 + 2 * kSealBytes || sealed[kRefDigits] != '-') {
    return std::nullopt;
  }
  const std::string_view ref = sealed.substr(0, kRefDigits);
  const std::string seal = seal_of(ref);
  if (!equal_constant_time(as_bytes(sealed.substr(kRefDigits + 1)), as_bytes(seal))) {
    return std::nullopt;
  }
  Target target;
  target.ref = ref;
  if (slash != std::string_view::npos) target.name = file_name_in(path.substr(slash + 1));
  return target;
}

std::optional<FileLinks::Target> FileLinks::read_url(std::string_view url) const {
  // The seal is the proof, whatever name the box goes by.
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::nullopt;
  const std::size_t path = url.find('/', scheme + 3);
  if (path == std::string_view::npos) return std::nullopt;
  return read(url.substr(path));
}

}  // namespace posthorn::api
