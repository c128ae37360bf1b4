#include "chat/files/downloads.h"

#include <algorithm>
#include <utility>

#include "chat/files/kinds.h"
#include "chat/files/media_retry.h"
#include "chat/files/opened_sink.h"
#include "posthorn/base/log.h"

namespace posthorn::chat {
namespace {

using wire::Node;

constexpr std::size_t kAtOnce = 2;
constexpr std::size_t kMostWaiting = 500;
constexpr int kTriesPerHost = 5;
constexpr seconds kLongestWait{60};
constexpr milliseconds kPhoneAnswers{60'000};
constexpr hours kPhoneIsAskedAgain{1};
constexpr std::size_t kMostAsked = 1'000;

milliseconds time_for(std::uint64_t bytes) {
  return seconds(60 + static_cast<std::int64_t>(bytes / (50U << 10)));
}

/// Sealed bytes that are read at most: what a sender says of the size is not relied upon.
constexpr std::uint64_t kMostSealed = crypto::sealed_media_size(kLargestFile);

/// The part of a URL behind its host, when that is one of WhatsApp's own; a message must not send
/// the box elsewhere.
std::string path_in(const std::string& url) {
  constexpr std::string_view kScheme = "https://";
  if (!url.starts_with(kScheme)) return "";
  const std::size_t slash = url.find('/', kScheme.size());
  if (slash == std::string::npos) return "";
  const std::string host = url.substr(kScheme.size(), slash - kScheme.size());
  const bool ours = host.ends_with(".whatsapp.net") || host.ends_with(".fbcdn.net");
  return ours && host.find_first_of("@:") == std::string::npos ? url.substr(slash) : "";
}

bool is_gone(int status) { return status == 403 || status == 404 || status == 410; }

}  // namespace

/// One file on its way into the store, for everybody who waits for it.
struct Downloads::Download {
  Download(Scheduler& scheduler, std::string name) : ref(std::move(name)), timer(scheduler) {}

  std::string ref;
  std::vector<store::MediaStore::Received> messages;  ///< that bring it; the first is being tried
  std::vector<std::string> hosts;
  std::size_t tries = 0;
  std::shared_ptr<OpenedSink> sink;
  bool asking_phone = false;
  std::vector<Once<void(Result<files::File>)>> waiters;
  Timer timer;
};

Downloads::Downloads(const FilesContext& context, MediaHosts& hosts)
    : context_(context), hosts_(hosts) {}

Downloads::~Downloads() { forget(); }

void Downloads::forget() {
  auto open = std::move(open_);
  open_.clear();
  queue_.clear();
  running_ = 0;
  for (auto& [name, download] : open) {
    download->timer.stop();
    auto waiters = std::move(download->waiters);
    for (auto& done : waiters) done(fail(Errc::cancelled, "the download was given up"));
  }
}

void Downloads::get(const std::string& ref, Once<void(Result<files::File>)> done) {
  if (auto file = context_.outside.store.find(ref)) return done(std::move(*file));
  const auto open = open_.find(ref);
  if (open != open_.end()) {
    open->second->waiters.push_back(std::move(done));
    return;
  }
  if (queue_.size() >= kMostWaiting) {
    return done(fail(Errc::busy, "500 downloads wait already; ask again later"));
  }
  auto messages = context_.media.received(ref);
  if (!messages) return done(tl::unexpected(messages.error()));
  if (messages->empty()) {
    return done(fail(Errc::not_found, "no message that is remembered brought this file"));
  }
  auto download = std::make_shared<Download>(context_.context.scheduler, ref);
  download->messages = std::move(*messages);
  download->waiters.push_back(std::move(done));
  open_.emplace(ref, download);
  queue_.push_back(std::move(download));
  start_next();
}

void Downloads::start_next() {
  while (!queue_.empty() && running_ < kAtOnce) {
    const Kept download = queue_.front();
    queue_.erase(queue_.begin());
    ++running_;
    context_.context.scheduler.post(alive_.bind([this, download] { run(download); }));
  }
}

void Downloads::run(const Kept& download) {
  // Reading needs no ticket, so it goes on while WhatsApp cannot be asked.
  hosts_.get(alive_.bind([this, download](const Result<MediaConn>& conn) {
    download->hosts = conn ? conn->hosts : MediaHosts::usual();
    ask(download);
  }));
}

void Downloads::ask(const Kept& download) {
  if (!open_.contains(download->ref)) return;
  const content::File& file = download->messages.front().file;
  const content::MediaPlace& place = *file.place;
  const std::string path =
      place.direct_path.starts_with("/") ? place.direct_path : path_in(place.url);
  if (path.empty() || place.key.size() != crypto::kMediaKeyBytes) {
    return try_other_message(download, {Errc::malformed, "the message does not say where it lies"});
  }
  if (file.size > kLargestFile) {
    return try_other_message(download, {Errc::full, "the file is larger than 100 MB"});
  }
  auto writer = context_.outside.store.begin(std::min(file.size, kLargestFile));
  if (!writer) return done_with(download, tl::unexpected(std::move(writer.error())));
  download->sink = std::make_shared<OpenedSink>(std::move(*writer), context_.outside.store,
                                                context_.outside.worker, place.key,
                                                media_group(file.kind).info, kMostSealed);
  const std::string& host = download->hosts[download->tries % download->hosts.size()];
  auto request = media_request(context_, host, path);
  request.sink = download->sink;
  request.timeout = time_for(std::min(file.size, kLargestFile));
  context_.outside.http.send(std::move(request),
                             alive_.bind([this, download](Result<net::HttpResponse> answer) {
                               on_answer(download, std::move(answer));
                             }));
}

void Downloads::on_answer(const Kept& download, Result<net::HttpResponse> answer) {
  if (!open_.contains(download->ref)) return;
  if (!answer) {
    // What the sink said is about this file; anything else is the network's.
    if (answer.error().code == Errc::full) {
      return try_other_message(download, std::move(answer.error()));
    }
    return try_again(download, std::move(answer.error()));
  }
  if (is_gone(answer->status)) return on_gone(download);
  if (answer->status != 200) {
    return try_again(download,
                     {Errc::io, "the media host answered " + std::to_string(answer->status)});
  }
  finish(download);
}

void Downloads::finish(const Kept& download) {
  const content::MediaPlace& place = *download->messages.front().file.place;
  download->sink->finish({download->ref, place.enc_sha256},
                         alive_.bind([this, download](Result<files::File> file) {
                           // The same bytes come again when asked for again: wrong ones are not.
                           if (!file && file.error().code == Errc::crypto) {
                             return try_other_message(download, std::move(file.error()));
                           }
                           done_with(download, std::move(file));
                         }));
}

void Downloads::try_again(const Kept& download, Error why) {
  download->sink.reset();
  if (++download->tries >= kTriesPerHost * download->hosts.size()) {
    return try_other_message(download, std::move(why));
  }
  const auto wait = std::min(seconds(static_cast<std::int64_t>(download->tries)), kLongestWait);
  download->timer.start(wait, [this, download] { ask(download); });
}

/// The host has dropped it; our phone may still have it.
void Downloads::on_gone(const Kept& download) {
  download->sink.reset();
  if (ask_phone(download)) return;
  try_other_message(download, {Errc::not_found,
                               "WhatsApp does not have the file any more, and the phone was "
                               "asked for it already or cannot be reached"});
}

bool Downloads::ask_phone(const Kept& download) {
  const store::MediaStore::Received& message = download->messages.front();
  const Mono now = context_.context.scheduler.now();
  const auto asked = asked_phone_.find(message.message_id);
  const bool lately = asked != asked_phone_.end() && now - asked->second < kPhoneIsAskedAgain;
  const auto chat = wire::parse_jid(message.chat);
  if (lately || !chat || !context_.context.line.online()) return false;
  if (asked_phone_.size() >= kMostAsked) asked_phone_.clear();
  asked_phone_[message.message_id] = now;
  MediaRetryRequest request;
  request.message_id = message.message_id;
  request.own = context_.context.line.identity().pn.bare();
  request.chat = *chat;
  request.from_me = message.from_me;
  const auto sender = wire::parse_jid(message.sender);
  if (chat->is_group() && sender) request.participant = *sender;
  download->asking_phone = true;
  download->timer.start(kPhoneAnswers, [this, download] {
    download->asking_phone = false;
    try_other_message(download, {Errc::not_found,
                                 "WhatsApp does not have the file any more, and the phone did not "
                                 "answer; ask again when it is online"});
  });
  context_.context.line.write(
      build_media_retry(request, message.file.place->key, context_.context.random));
  return true;
}

void Downloads::on_media_retry(const Node& notification) {
  const std::string id = notification.text_attr("id");
  const auto found = std::find_if(open_.begin(), open_.end(), [&id](const auto& one) {
    return one.second->asking_phone && one.second->messages.front().message_id == id;
  });
  if (found == open_.end()) return;
  const Kept download = found->second;
  store::MediaStore::Received& message = download->messages.front();
  auto path = parse_media_retry(notification, message.file.place->key);
  // Who can write such a notification without the key is not our phone: it may still answer.
  if (!path && path.error().code != Errc::not_found) return;
  download->timer.stop();
  download->asking_phone = false;
  if (!path) return try_other_message(download, std::move(path.error()));
  message.file.place->direct_path = *path;
  if (auto kept = context_.media.move_received(download->ref, id, *path); !kept) {
    log::warn("files", "the new place of a file could not be noted", {{"why", kept.error()}});
  }
  download->tries = 0;
  ask(download);
}

/// Several messages may bring the same file; the last error is told.
void Downloads::try_other_message(const Kept& download, Error why) {
  download->sink.reset();
  download->messages.erase(download->messages.begin());
  download->tries = 0;
  if (download->messages.empty()) return done_with(download, tl::unexpected(std::move(why)));
  ask(download);
}

void Downloads::done_with(const Kept& download, Result<files::File> result) {
  const Kept keep_alive = download;
  if (open_.erase(download->ref) == 0) return;
  --running_;
  download->timer.stop();
  download->sink.reset();
  if (!result) {
    log::info("files", "a file was not downloaded", {{"why", result.error()}});
  }
  auto waiters = std::move(download->waiters);
  for (auto& done : waiters) done(result);
  start_next();
}

}  // namespace posthorn::chat
