#include "chat/files/link_previews.h"

#include <algorithm>
#include <utility>

#include "chat/files/kinds.h"
#include "chat/files/page_head.h"
#include "posthorn/base/links.h"
#include "posthorn/base/log.h"
#include "posthorn/pictures/thumbnail.h"

namespace posthorn::chat {
namespace {

constexpr std::size_t kPageMost = std::size_t{512} << 10;
constexpr std::size_t kPictureMost = std::size_t{2} << 20;
constexpr seconds kPageTimeout{6};
constexpr seconds kPictureTimeout{6};
constexpr seconds kLongest{15};
constexpr seconds kUploadTimeout{10};
constexpr int kRedirects = 3;
constexpr std::size_t kAtOnce = 2;
constexpr std::size_t kMostWaiting = 32;
constexpr std::size_t kMostKnown = 32;
constexpr milliseconds kFoundLives = hours(24);
constexpr milliseconds kNoneLives = minutes(10);

/// Takes what comes up to a limit, and then no more of it.
class Beginning : public net::HttpSink {
 public:
  explicit Beginning(std::size_t most) : most_(most) {}
  void on_room(std::function<void()>) override {}
  Result<bool> write(ByteView piece) override {
    const std::size_t room = most_ - bytes_.size();
    append(bytes_, piece.first(std::min(room, piece.size())));
    cut_ = piece.size() > room;
    if (cut_ || has_enough(as_text(bytes_), piece.size())) {
      enough_ = true;
      return fail(Errc::cancelled, "enough of it");
    }
    return true;
  }
  [[nodiscard]] bool enough() const { return enough_; }
  [[nodiscard]] bool cut() const { return cut_; }
  Bytes take() { return std::move(bytes_); }

 protected:
  [[nodiscard]] virtual bool has_enough(std::string_view, std::size_t) const { return false; }

 private:
  std::size_t most_;
  Bytes bytes_;
  bool enough_ = false;
  bool cut_ = false;  ///< there was more
};

/// What a page says of itself stands before its body; a film has no page.
class PageSink final : public Beginning {
 public:
  PageSink() : Beginning(kPageMost) {}

 private:
  [[nodiscard]] bool has_enough(std::string_view all, std::size_t fresh) const override {
    constexpr std::string_view kEnd = "</head>";
    const std::size_t from = all.size() - std::min(all.size(), fresh + kEnd.size());
    const std::string_view tail = all.substr(from);
    return tail.find(kEnd) != std::string_view::npos ||
           tail.find("</HEAD>") != std::string_view::npos ||
           all.substr(0, 512).find('\0') != std::string_view::npos;
  }
};

bool can_be_shown(const Bytes& picture) {
  const std::string_view text = as_text(picture);
  return text.starts_with("\xFF\xD8\xFF") || text.starts_with("\x89PNG");
}

}  // namespace

/// What is to be fetched for a text.
struct LinkPreviews::Ask {
  std::string page;     ///< empty: the till said what the page would
  std::string picture;  ///< empty: the page will say
  std::string link;     ///< as the text has it
  bool large = false;
  [[nodiscard]] std::string key() const {
    return (large ? "large " : "small ") + page + " " + picture;
  }
};

struct LinkPreviews::Found {
  content::Preview preview;
  Mono until;
  std::uint64_t number = 0;
};

struct LinkPreviews::Fetch {
  Fetch(Scheduler& scheduler, Ask a) : ask(std::move(a)), timer(scheduler) {}

  struct Waiter {
    content::Text text;
    Once<void(content::Text)> done;
  };
  Ask ask;
  content::Preview found;
  std::vector<Waiter> waiters;
  Timer timer;
  bool running = false;
  bool ended = false;
};

LinkPreviews::LinkPreviews(const FilesContext& context, Uploads& uploads)
    : context_(context), uploads_(uploads) {}

LinkPreviews::~LinkPreviews() {
  for (auto& [key, fetch] : std::exchange(open_, {})) {
    fetch->ended = true;
    fetch->timer.stop();
    for (auto& waiter : fetch->waiters) waiter.done(std::move(waiter.text));
  }
}

std::optional<LinkPreviews::Ask> LinkPreviews::ask_of(const content::Text& text) {
  if (!text.link_preview) return std::nullopt;
  Ask ask;
  ask.large = text.large_preview;
  if (text.preview) {
    const bool needed = ask.large || text.preview->thumbnail.empty();
    if (text.preview->picture.empty() || !needed) return std::nullopt;
    ask.picture = text.preview->picture;
    ask.link = text.preview->url;
    return ask;
  }
  ask.link = find_link(text.body);
  if (ask.link.empty()) return std::nullopt;
  ask.page = address_of_link(ask.link);
  return ask;
}

void LinkPreviews::apply(const Ask& ask, const content::Preview& found, content::Text& text) {
  if (ask.page.empty()) {
    content::Preview& said = *text.preview;
    if (said.thumbnail.empty()) said.thumbnail = found.thumbnail;
    said.width = found.width;
    said.height = found.height;
    said.place = found.place;
  } else if (!found.title.empty()) {
    text.preview = found;
    text.preview->url = ask.link;
  }
}

const LinkPreviews::Found* LinkPreviews::recall(const std::string& key) const {
  const auto known = known_.find(key);
  if (known == known_.end() || known->second.until < context_.context.scheduler.now()) {
    return nullptr;
  }
  return &known->second;
}

bool LinkPreviews::knows(const content::Text& text) const {
  const auto ask = ask_of(text);
  return !ask || recall(ask->key()) != nullptr;
}

void LinkPreviews::get(content::Text text, Once<void(content::Text)> done) {
  auto ask = ask_of(text);
  if (!ask) return done(std::move(text));
  const std::string key = ask->key();
  if (const Found* known = recall(key)) {
    apply(*ask, known->preview, text);
    return done(std::move(text));
  }
  auto open = open_.find(key);
  if (open == open_.end()) {
    // More links than the box can follow: texts go on without.
    if (queue_.size() >= kMostWaiting) return done(std::move(text));
    open = open_.emplace(key, std::make_shared<Fetch>(context_.context.scheduler, *ask)).first;
    queue_.push_back(open->second);
    context_.context.scheduler.post(alive_.bind([this] { start_next(); }));
  }
  open->second->waiters.push_back({std::move(text), std::move(done)});
}

void LinkPreviews::start_next() {
  while (!queue_.empty() && running_ < kAtOnce) {
    const Kept fetch = queue_.front();
    queue_.pop_front();
    fetch->running = true;
    ++running_;
    // Its task keeps the fetch, until it ends.
    fetch->timer.start(kLongest, [this, fetch] { end(fetch); });
    if (fetch->ask.page.empty()) {
      fetch->found.picture = fetch->ask.picture;
      get_picture(fetch);
    } else {
      get_page(fetch);
    }
  }
}

net::HttpRequest LinkPreviews::request_of(const std::string& url) const {
  net::HttpRequest request;
  request.url = url;
  // Shops' pages know what to show to somebody of that name.
  request.headers = {{"User-Agent", "WhatsApp/2 (Posthorn; link preview)"},
                     {"Accept", "text/html,image/jpeg,image/png,image/webp"}};
  request.redirects = kRedirects;
  request.public_only = !context_.outside.private_links;
  return request;
}

void LinkPreviews::get_page(const Kept& fetch) {
  net::HttpRequest request = request_of(fetch->ask.page);
  auto sink = std::make_shared<PageSink>();  // shared: with the transfer
  request.sink = sink;
  request.timeout = kPageTimeout;
  context_.outside.http.send(
      std::move(request), alive_.bind([this, fetch, sink](const Result<net::HttpResponse>& answer) {
        if (fetch->ended) return;
        const bool whole = answer && answer->status / 100 == 2;
        if (!whole && !sink->enough()) {
          log::info("files", "no link preview",
                    {{"why", answer ? "status " + std::to_string(answer->status)
                                    : to_string(answer.error())}});
          return end(fetch);
        }
        on_page(fetch, to_string(sink->take()));
      }));
}

void LinkPreviews::on_page(const Kept& fetch, const std::string& html) {
  PageHead head = read_page_head(html);
  fetch->found.title = std::move(head.title);
  fetch->found.description = std::move(head.description);
  if (fetch->found.title.empty()) return end(fetch);
  fetch->found.picture = join_url(fetch->ask.page, head.picture);
  get_picture(fetch);
}

void LinkPreviews::get_picture(const Kept& fetch) {
  if (fetch->found.picture.empty()) return end(fetch);
  net::HttpRequest request = request_of(fetch->found.picture);
  auto sink = std::make_shared<Beginning>(kPictureMost);  // shared: with the transfer
  request.sink = sink;
  request.timeout = kPictureTimeout;
  context_.outside.http.send(
      std::move(request), alive_.bind([this, fetch, sink](const Result<net::HttpResponse>& answer) {
        if (fetch->ended) return;
        if (!answer || answer->status / 100 != 2 || sink->cut()) return end(fetch);
        on_picture(fetch, sink->take());
      }));
}

void LinkPreviews::on_picture(const Kept& fetch, Bytes picture) {
  using pictures::Thumbnail;
  auto bytes = std::make_shared<const Bytes>(std::move(picture));  // shared: with the thread
  run_on<Thumbnail>(
      context_.outside.worker,
      [bytes] {
        auto made = pictures::make_thumbnail(ByteView(*bytes));
        return made ? std::move(*made) : Thumbnail{};
      },
      [self = alive_.weak(), fetch, bytes](Thumbnail made) {
        LinkPreviews* me = self.get();
        if (me == nullptr || fetch->ended) return;
        if (made.jpeg.empty()) return me->end(fetch);
        fetch->found.thumbnail = std::move(made.jpeg);
        fetch->found.width = made.width;
        fetch->found.height = made.height;
        if (!fetch->ask.large || !can_be_shown(*bytes)) return me->end(fetch);
        me->store_picture(fetch, *bytes);
      });
}

/// Uploads are made out of the store.
void LinkPreviews::store_picture(const Kept& fetch, const Bytes& picture) {
  auto begun = context_.outside.store.begin(picture.size());
  if (!begun) return end(fetch);
  std::unique_ptr<files::Writer> writer = std::move(*begun);
  (void)writer->append(as_text(picture));
  files::Writer& last = *writer;
  last.finish(
      [self = alive_.weak(), fetch, writer = std::move(writer)](const Result<files::File>& stored) {
        LinkPreviews* me = self.get();
        if (me == nullptr || fetch->ended) return;
        if (!stored) return me->end(fetch);
        me->upload(fetch, stored->ref);
      });
}

void LinkPreviews::upload(const Kept& fetch, const std::string& ref) {
  context_.outside.store.hold(ref);
  uploads_.get(ref, link_media_group(), context_.context.clock.now() + kUploadTimeout,
               [self = alive_.weak(), fetch, ref](Result<content::MediaPlace> place) {
                 LinkPreviews* me = self.get();
                 if (me == nullptr) return;
                 me->context_.outside.store.release(ref);
                 if (fetch->ended) return;
                 if (place) fetch->found.place = std::move(*place);
                 me->end(fetch);
               });
}

/// With what has been found by now.
void LinkPreviews::end(const Kept& fetch) {
  if (std::exchange(fetch->ended, true)) return;
  const Kept kept = fetch;  // the timer's task may be what keeps it
  kept->timer.stop();
  --running_;
  const std::string key = kept->ask.key();
  open_.erase(key);
  const bool any = !kept->found.title.empty() || !kept->found.thumbnail.empty();
  while (known_.size() >= kMostKnown) {
    known_.erase(std::min_element(known_.begin(), known_.end(), [](const auto& a, const auto& b) {
      return a.second.number < b.second.number;
    }));
  }
  known_[key] = {kept->found, context_.context.scheduler.now() + (any ? kFoundLives : kNoneLives),
                 ++asked_};
  for (auto& waiter : std::exchange(kept->waiters, {})) {
    apply(kept->ask, kept->found, waiter.text);
    waiter.done(std::move(waiter.text));
  }
  start_next();
}

}  // namespace posthorn::chat
