#include "chat/files/uploads.h"

#include <algorithm>
#include <utility>

#include "chat/files/sealed_source.h"
#include "chat/files/upload_answer.h"
#include "posthorn/base/base64url.h"
#include "posthorn/base/log.h"
#include "posthorn/base/percent_encode.h"

namespace posthorn::chat {
namespace {

/// How long an upload serves other messages. The host keeps it for some thirty days, and the
/// receiver fetches it when it comes online.
constexpr hours kFresh{72};
constexpr std::uint64_t kSmall = std::uint64_t{4} << 20;
constexpr std::uint64_t kResumeFrom = std::uint64_t{5} << 20;
constexpr std::size_t kAtOnce = 2;
constexpr milliseconds kFirstWait{5'000};
constexpr milliseconds kLongestWait{600'000};
constexpr milliseconds kQuick{30'000};

/// 60 s, and a second for each 50 KiB.
milliseconds time_for(std::uint64_t bytes) {
  return seconds(60 + static_cast<std::int64_t>(bytes / (50U << 10)));
}

}  // namespace

/// One file on its way to the host, for everybody who waits for it.
struct Uploads::Upload {
  struct Waiter {
    Wall until;
    Once<void(Result<content::MediaPlace>)> done;
  };

  Upload(Scheduler& scheduler, std::string name, const MediaGroup& of)
      : ref(std::move(name)), group(of), timer(scheduler) {}

  std::string ref;
  const MediaGroup& group;
  std::uint64_t size = 0;  ///< sealed
  store::MediaStore::Upload found;
  std::vector<Waiter> waiters;
  bool running = false;
  bool resumable = false;
  MediaConn conn;
  std::size_t host = 0;  ///< the next one to try
  bool asked_anew = false;
  int failures = 0;
  std::optional<Error> trouble;  ///< the last one
  Timer timer;
};

Uploads::Uploads(const FilesContext& context, MediaHosts& hosts)
    : context_(context), hosts_(hosts), deadline_(context.context.scheduler) {}

Uploads::~Uploads() {
  auto open = std::move(open_);
  for (auto& [name, upload] : open) {
    upload->timer.stop();  // its task keeps the upload
    for (auto& waiter : upload->waiters) waiter.done(fail(Errc::cancelled, "the box is stopping"));
  }
}

Result<std::optional<content::MediaPlace>> Uploads::find(const std::string& ref,
                                                         const MediaGroup& group) {
  TRY(const auto upload, context_.media.upload(ref, group.name));
  if (!upload || upload->place.direct_path.empty()) return std::optional<content::MediaPlace>();
  const auto age = context_.context.clock.now() - upload->at;
  if (age > kFresh || age < -kFresh) return std::optional<content::MediaPlace>();
  return std::optional(upload->place);
}

void Uploads::get(const std::string& ref, const MediaGroup& group, Wall until,
                  Once<void(Result<content::MediaPlace>)> done) {
  const auto place = find(ref, group);
  if (!place) return done(tl::unexpected(place.error()));
  if (*place) return done(**place);
  const std::string name = ref + '.' + std::string(group.name);
  Kept& upload = open_[name];
  const bool fresh = !upload;
  if (fresh) upload = std::make_shared<Upload>(context_.context.scheduler, ref, group);
  upload->waiters.push_back({until, std::move(done)});
  if (fresh) queue_.push_back(upload);
  end_waiters();
  start_next();
}

void Uploads::on_online() {
  hosts_.forget();
  for (auto& [name, upload] : open_) {
    if (upload->timer.active())
      upload->timer.start(milliseconds(0), [this, upload = upload] { ask_hosts(upload); });
  }
}

void Uploads::forget() {
  hosts_.forget();
  if (auto cleared = context_.media.clear(); !cleared) {
    log::error("files", "what was uploaded could not be forgotten", {{"why", cleared.error()}});
  }
}

/// Two at once; of the large ones, which may take hours on a poor line, one.
void Uploads::start_next() {
  for (auto next = queue_.begin(); next != queue_.end() && running_ < kAtOnce;) {
    const Kept upload = *next;
    const auto file = context_.outside.store.find(upload->ref);
    const bool large = file && file->size > kSmall;
    const bool wait = large && std::any_of(open_.begin(), open_.end(), [](const auto& one) {
                        return one.second->running && one.second->size > kSmall;
                      });
    if (wait) {
      ++next;
      continue;
    }
    next = queue_.erase(next);
    upload->running = true;
    upload->size = file ? crypto::sealed_media_size(file->size) : 0;
    ++running_;
    context_.context.scheduler.post(alive_.bind([this, upload] { run(upload); }));
  }
}

void Uploads::run(const Kept& upload) {
  if (upload->waiters.empty()) return done_with(upload, content::MediaPlace{});
  const auto kept = context_.media.upload(upload->ref, upload->group.name);
  if (!kept) return done_with(upload, tl::unexpected(kept.error()));
  // Begun before a restart, or too old: the same key gives the same bytes, of which the host may
  // have a part, or all.
  const bool begun = *kept && (*kept)->mac.size() == crypto::kMediaMacBytes;
  if (begun) {
    upload->found = **kept;
    upload->found.place.direct_path.clear();
    return ask_hosts(upload);
  }
  outline(upload);
}

void Uploads::outline(const Kept& upload) {
  auto reader = context_.outside.store.read(upload->ref);
  if (!reader) {
    return done_with(upload, fail(Errc::not_found, "the file is not on the box any more"));
  }
  content::MediaPlace& place = upload->found.place;
  place.key = context_.context.random.bytes(crypto::kMediaKeyBytes);
  place.key_at = context_.context.clock.now().unix_seconds();
  place.sha256 = hex_decode(upload->ref).value_or(Bytes{});
  outline_of(std::make_shared<SealedPieces>(std::move(*reader), context_.outside.worker, place.key,
                                            upload->group.info),
             alive_.bind([this, upload](Result<SealedOutline> outline) {
               if (!outline) return done_with(upload, tl::unexpected(outline.error()));
               upload->found.place.enc_sha256 = to_bytes(ByteView(outline->enc_sha256));
               upload->found.mac = outline->mac;
               keep(*upload);
               ask_hosts(upload);
             }));
}

void Uploads::keep(const Upload& upload) {
  if (auto kept = context_.media.save_upload(upload.ref, upload.group.name, upload.found); !kept) {
    log::warn("files", "an upload could not be noted", {{"why", kept.error()}});
  }
}

void Uploads::ask_hosts(const Kept& upload) {
  if (upload->waiters.empty()) return done_with(upload, content::MediaPlace{});
  hosts_.get(alive_.bind([this, upload](Result<MediaConn> conn) {
    if (!conn) return try_later(upload, std::move(conn.error()));
    upload->conn = std::move(*conn);
    upload->host = 0;
    if (context_.outside.resume_check && upload->size >= kResumeFrom) return check_resume(upload);
    post(upload, 0);
  }));
}

std::string Uploads::url_of(const Upload& upload) const {
  const std::string token = base64url_encode(upload.found.place.enc_sha256);
  return "/mms/" + std::string(upload.group.name) + "/" + token +
         "?auth=" + percent_encode(upload.conn.auth) + "&token=" + token;
}

void Uploads::check_resume(const Kept& upload) {
  auto request =
      media_request(context_, upload->conn.hosts[upload->host], url_of(*upload) + "&resume=1");
  request.method = "POST";
  request.timeout = kQuick;
  context_.outside.http.send(std::move(request),
                             alive_.bind([this, upload](const Result<net::HttpResponse>& answer) {
                               on_resume(upload, answer);
                             }));
}

void Uploads::on_resume(const Kept& upload, const Result<net::HttpResponse>& answer) {
  const ResumeAnswer found = answer ? parse_resume(*answer) : ResumeAnswer{};
  if (!found.complete) {
    return post(upload, found.offset < upload->size ? found.offset : 0);
  }
  upload->found.place.direct_path = found.place.direct_path;
  upload->found.place.url = found.place.url;
  upload->found.at = context_.context.clock.now();
  keep(*upload);
  done_with(upload, upload->found.place);
}

void Uploads::post(const Kept& upload, std::uint64_t from) {
  auto reader = context_.outside.store.read(upload->ref);
  if (!reader) {
    return done_with(upload, fail(Errc::not_found, "the file is not on the box any more"));
  }
  auto pieces = std::make_unique<SealedPieces>(std::move(*reader), context_.outside.worker,
                                               upload->found.place.key, upload->group.info);
  std::string path = url_of(*upload);
  if (from != 0) path += "&file_offset=" + std::to_string(from);
  auto request = media_request(context_, upload->conn.hosts[upload->host], path);
  request.method = "POST";
  request.headers.emplace_back("Content-Type", "application/octet-stream");
  request.source = std::make_shared<SealedSource>(std::move(pieces), from);
  request.timeout = time_for(upload->size - from);
  context_.outside.http.send(std::move(request),
                             alive_.bind([this, upload](Result<net::HttpResponse> answer) {
                               on_posted(upload, std::move(answer));
                             }));
}

void Uploads::on_posted(const Kept& upload, Result<net::HttpResponse> answer) {
  if (!answer) return try_other_host(upload, std::move(answer.error()));
  UploadAnswer said = parse_upload(*answer);
  switch (said.verdict) {
    case UploadAnswer::Verdict::stored:
      upload->found.place.direct_path = said.direct_path;
      upload->found.place.url = said.url;
      upload->found.at = context_.context.clock.now();
      keep(*upload);
      return done_with(upload, upload->found.place);
    case UploadAnswer::Verdict::ask_anew:
      hosts_.forget();
      if (std::exchange(upload->asked_anew, true)) return try_later(upload, std::move(said.why));
      return ask_hosts(upload);
    case UploadAnswer::Verdict::other_host:
      return try_other_host(upload, std::move(said.why));
    case UploadAnswer::Verdict::refused:
      return done_with(upload, tl::unexpected(std::move(said.why)));
  }
}

void Uploads::try_other_host(const Kept& upload, Error why) {
  if (++upload->host >= upload->conn.hosts.size()) return try_later(upload, std::move(why));
  upload->trouble = std::move(why);
  post(upload, 0);
}

/// The wait grows; being online again ends it.
void Uploads::try_later(const Kept& upload, Error why) {
  const milliseconds wait =
      std::min(kFirstWait * (1 << std::min(upload->failures++, 8)), kLongestWait);
  log::info("files", "an upload waits", {{"why", why}, {"seconds", wait.count() / 1000}});
  upload->trouble = std::move(why);
  upload->asked_anew = false;
  upload->timer.start(wait, [this, upload] { ask_hosts(upload); });
}

void Uploads::done_with(const Kept& upload, Result<content::MediaPlace> result) {
  const auto found = std::find_if(open_.begin(), open_.end(),
                                  [&upload](const auto& one) { return one.second == upload; });
  if (found == open_.end()) return;
  const Kept keep_alive = upload;
  open_.erase(found);
  --running_;
  upload->timer.stop();
  auto waiters = std::move(upload->waiters);
  for (auto& waiter : waiters) waiter.done(result);
  start_next();
}

/// Tells those whose time is over what stood in the way, and looks again when the next one's is.
void Uploads::end_waiters() {
  const Wall now = context_.context.clock.now();
  std::optional<milliseconds> next;
  std::vector<std::pair<Once<void(Result<content::MediaPlace>)>, Error>> over;
  for (auto& [name, upload] : open_) {
    const std::string trouble = upload->trouble ? ": " + to_string(*upload->trouble) : "";
    auto& waiters = upload->waiters;
    for (auto it = waiters.begin(); it != waiters.end();) {
      const milliseconds left = it->until - now;
      if (left > milliseconds(0)) {
        next = std::min(next.value_or(left), left);
        ++it;
        continue;
      }
      over.emplace_back(std::move(it->done),
                        Error{Errc::timeout, "the file could not be uploaded in time" + trouble});
      it = waiters.erase(it);
    }
  }
  if (next) deadline_.start(std::min<milliseconds>(*next, hours(1)), [this] { end_waiters(); });
  for (auto& [done, why] : over) done(tl::unexpected(std::move(why)));
}

}  // namespace posthorn::chat
