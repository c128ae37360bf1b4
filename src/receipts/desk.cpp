#include "receipts/desk.h"

#include <algorithm>
#include <utility>

#include "posthorn/base/log.h"
#include "receipts/epos.h"
#include "receipts/local_till.h"
#include "receipts/lpd_till.h"
#include "receipts/picture.h"
#include "receipts/qr_block.h"
#include "receipts/qr_reader.h"
#include "receipts/wide_reader.h"

namespace posthorn::receipts {

namespace {

constexpr std::string_view kCustomersBlob = "receipts/customers";
constexpr std::string_view kLogoBlob = "receipts/logo";
constexpr std::size_t kMostEarly = 32;
constexpr std::size_t kMostEarlyBytes = std::size_t{8} << 20;
constexpr std::size_t kWide = 576;
constexpr std::size_t kNarrow = 384;
constexpr std::size_t kLongestSample = 64;

/// A line with letters beyond ASCII, for whoever looks whether the code page is right.
std::string sample_of(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) {
    const bool high = std::any_of(line.begin(), line.end(), [](char c) {
      return static_cast<unsigned char>(c) >= 0x80 && static_cast<unsigned char>(c) != 0xE2;
    });
    if (high && line.size() <= kLongestSample) return line.substr(line.find_first_not_of(' '));
  }
  return "";
}

/// "WWWW" in little endian, then rows of dots.
std::shared_ptr<const Bitmap> decode_logo(ByteView blob) {
  if (blob.size() < 3) return nullptr;
  const std::size_t width =
      std::to_integer<std::size_t>(blob[0]) + 256 * std::to_integer<std::size_t>(blob[1]);
  const ByteView bits = blob.subspan(2);
  if (width == 0 || width % 8 != 0 || bits.size() % (width / 8) != 0) return nullptr;
  auto out = std::make_shared<Bitmap>(width);
  out->grow(bits.size() / (width / 8));
  for (std::size_t i = 0; i < bits.size(); ++i) {
    for (std::size_t bit = 0; bit < 8; ++bit) {
      if ((std::to_integer<unsigned>(bits[i]) >> (7 - bit) & 1) == 0) continue;
      out->set(i % (width / 8) * 8 + bit, i / (width / 8));
    }
  }
  return out;
}

/// nullopt: times of two clocks, which cannot be compared.
std::optional<milliseconds> age_of(Wall at, Wall now) {
  if (at.trusted != now.trusted) return std::nullopt;
  return std::max<milliseconds>(now - at, milliseconds(0));
}

/// A receipt that is one picture says nothing in letters; its codes may.
Rendered render_with_codes(ByteView raw, const Reading& reading) {
  Rendered out = render(raw, reading);
  const bool one_picture = out.letters == 0 && out.pictures > 0;
  if (one_picture && out.payloads.empty()) out.payloads = read_qr(out.paper);
  return out;
}

}  // namespace

Result<void> check_code_page(std::string_view name) {
  if (name == "auto") return {};
  const auto page = find_code_page(name);
  if (!page) return fail(Errc::malformed, "must be \"auto\" or one of " + code_page_names());
  if (page->is_wide() && !can_read_wide(*page)) {
    return fail(Errc::malformed, std::string(name) + " is not in this system's C library");
  }
  return {};
}

Result<std::unique_ptr<Receipts>> Receipts::open(Settings settings,
                                                 std::vector<PrinterSettings> printers,
                                                 Outside outside) {
  for (const PrinterSettings& printer : printers) {
    if (auto known = check_code_page(printer.code_page); !known) {
      return fail(Errc::malformed,
                  "printer." + printer.name + ".codepage: " + known.error().detail);
    }
  }
  return std::unique_ptr<Receipts>(
      std::make_unique<Desk>(std::move(settings), std::move(printers), std::move(outside)));
}

Desk::Desk(Settings settings, std::vector<PrinterSettings> printers, Outside outside)
    : settings_(std::move(settings)),
      outside_(std::move(outside)),
      shelf_(outside_.disk, outside_.worker) {
  for (std::size_t i = 0; i < printers.size(); ++i) {
    const std::string name = printers[i].name;
    Printer::Outside beside{outside_.scheduler, outside_.dialer, {}, {}, {}};
    beside.on_job = [this, i](TappedJob job) { on_job(i, std::move(job)); };
    beside.on_drawer = [this, name] { outside_.tell(DrawerOpened{name}); };
    beside.block = [this, i](Language language, const LetterState& letters) {
      return make_block(i, language, letters);
    };
    printers_.push_back(std::make_unique<Printer>(std::move(printers[i]), std::move(beside)));
  }
  if (const auto csv = outside_.blobs.load(kCustomersBlob); csv && *csv) {
    if (auto table = parse_customers(as_text(**csv), "")) {
      customers_ = std::make_shared<CustomerTable>(std::move(*table));
    }
  }
  if (const auto logo = outside_.blobs.load(kLogoBlob); logo && *logo) logo_ = decode_logo(**logo);
  shelf_.load(
      alive_.bind([this](Result<std::vector<Shelf::Kept>> kept) { on_loaded(std::move(kept)); }));
}

Desk::~Desk() { stop(); }

void Desk::stop() {
  if (std::exchange(stopped_, true)) return;
  alive_.end();
  for (const auto& printer : printers_) printer->stop();
  sweep_timer_.stop();
  retry_timer_.stop();
  numbers_.stop();
  for (auto& [number, entry] : entries_) {
    if (entry.waiter) entry.waiter(fail(Errc::cancelled, "the box is restarting"));
  }
}

void Desk::accept(std::size_t printer, std::unique_ptr<Stream> till) {
  if (stopped_ || printer >= printers_.size()) return till->reset();
  printers_[printer]->accept(std::move(till));
}

void Desk::accept_lpd(std::size_t printer, std::unique_ptr<Stream> till) {
  accept(printer, std::make_unique<LpdTill>(std::move(till)));
}

void Desk::print_epos(std::string_view printer, std::string_view xml,
                      Once<void(std::string)> done) {
  const auto takes = [](const auto& one) { return one->settings().epos; };
  auto found = std::find_if(printers_.begin(), printers_.end(), [&](const auto& one) {
    return takes(one) && one->settings().name == printer;
  });
  if (found == printers_.end()) found = std::find_if(printers_.begin(), printers_.end(), takes);
  if (found == printers_.end() || stopped_) return done(epos_answer(false, "DeviceNotFound"));
  Printer* const to = found->get();
  auto work = [xml = std::string(xml)] { return decode_epos(xml); };
  auto decoded = [self = alive_.weak(), to, done = std::move(done)](Result<Bytes> job) mutable {
    if (!job) {
      log::warn("receipts", "an ePOS-Print request cannot be read", {{"error", job.error()}});
      return done(epos_answer(false, "SchemaError"));
    }
    Desk* me = self.get();
    if (me == nullptr) return done(epos_answer(false, "EX_TIMEOUT"));
    if (job->empty()) return done(epos_answer(true, ""));  // only asks how the printer is
    to->accept(std::make_unique<LocalTill>(
        me->outside_.scheduler, std::move(*job),
        [done = std::move(done)](const Result<void>& printed) mutable {
          done(printed ? epos_answer(true, "") : epos_answer(false, "EX_TIMEOUT"));
        }));
  };
  run_on<Result<Bytes>>(outside_.worker, std::move(work), std::move(decoded));
}

milliseconds Desk::life_of(const Entry& entry) const {
  if (entry.claim) return settings_.sent_life;
  if (!entry.record.token.empty()) return settings_.token_life;
  return settings_.keep;
}

void Desk::on_loaded(Result<std::vector<Shelf::Kept>> kept) {
  loaded_ = true;
  if (!kept) {
    log::error("receipts", "what was kept cannot be read", {{"error", kept.error()}});
  } else {
    const Wall now = outside_.clock.now();
    for (Shelf::Kept& one : *kept) {
      Entry entry;
      entry.record = std::move(one.record);
      entry.claim = std::move(one.claim);
      entry.size = one.size;
      entry.kept = true;
      numbers_.found(entry.record.number);
      // One that was kept just before a cut was not.
      entry.told = entry.told_kept = numbers_.was_told(entry.record.number);
      entry.seen = outside_.scheduler.now();
      entry.age_then = age_of(entry.record.at, now);
      const Wall from = entry.claim ? entry.claim->at : entry.record.at;
      // Times of two clocks cannot be compared: then its life begins anew, once.
      const milliseconds age = age_of(from, now).value_or(milliseconds(0));
      const milliseconds left = std::clamp(life_of(entry) - age, milliseconds(0), life_of(entry));
      entry.due = outside_.scheduler.now() + left;
      if (!entry.record.token.empty()) tokens_[entry.record.token] = entry.record.number;
      kept_bytes_ += entry.size;
      entries_.emplace(entry.record.number, std::move(entry));
    }
    // Their message has one id for good, so one that was queued already is the same one.
    for (const auto& [number, entry] : entries_) to_look_.push_front(number);
    look_at_next();
    retry();
  }
  numbers_.start();
  for (auto& [printer, job] : std::exchange(early_, {})) on_job(printer, std::move(job));
  arm_sweep();
}

void Desk::on_job(std::size_t printer, TappedJob job) {
  if (!loaded_) {
    if (early_.size() >= kMostEarly || early_bytes_ + job.raw.size() > kMostEarlyBytes) {
      return log::error("receipts", "a receipt was printed before the disk was ready",
                        {{"what_to_do", "It cannot be sent."}});
    }
    early_bytes_ += job.raw.size();
    early_.emplace_back(printer, std::move(job));
    return;
  }
  if (!may_keep(job.raw.size())) return;
  make_room();
  Entry entry;
  entry.record.number = numbers_.next();
  entry.record.printer = printers_[printer]->settings().name;
  entry.record.at = outside_.clock.now();
  entry.record.token = std::move(job.token);
  entry.record.language = job.language;
  entry.record.cut_short = job.cut_short;
  entry.size = job.raw.size();
  entry.seen = outside_.scheduler.now();
  entry.due = outside_.scheduler.now() + life_of(entry);
  const std::uint64_t number = entry.record.number;
  const Record record = entry.record;
  if (!record.token.empty()) tokens_[record.token] = number;
  kept_bytes_ += entry.size;
  entries_.emplace(number, std::move(entry));
  shelf_.keep(record, std::move(job.raw),
              alive_.bind([this, number](const Result<void>& kept) { on_kept(number, kept); }));
  arm_sweep();
}

bool Desk::may_keep(std::size_t size) {
  constexpr minutes kTellAgain{10};
  const Mono now = outside_.scheduler.now();
  if (intake_.take(size, now)) return true;
  if (told_full_ && now - *told_full_ < kTellAgain) return false;
  told_full_ = now;
  log::warn("receipts", "more is printed than any shop prints; not all of it is kept",
            {{"what_to_do", "Does something that is no till print to the box?"}});
  return false;
}

void Desk::on_kept(std::uint64_t number, const Result<void>& kept) {
  const auto found = entries_.find(number);
  if (found == entries_.end()) return;
  if (!kept) {
    log::error("receipts", "a receipt was printed and cannot be kept",
               {{"number", number}, {"error", kept.error()}});
    if (found->second.waiter) found->second.waiter(tl::unexpected(kept.error()));
    return drop(number);
  }
  found->second.kept = true;
  to_look_.push_front(number);
  look_at_next();
}

Reading Desk::reading_of(const Record& record) const {
  Reading reading;
  reading.language = record.language;
  reading.tags = settings_.tags;
  reading.logo = logo_.get();
  for (const auto& printer : printers_) {
    const PrinterSettings& settings = printer->settings();
    if (settings.name != record.printer) continue;
    reading.width = settings.width == 58 ? kNarrow : kWide;
    reading.code_page = find_code_page(settings.code_page);
  }
  return reading;
}

void Desk::look_at_next() {
  while (!looking_ && !to_look_.empty() && !stopped_) {
    const std::uint64_t number = to_look_.front();
    to_look_.pop_front();
    const auto found = entries_.find(number);
    if (found == entries_.end()) continue;
    looking_ = true;
    shelf_.read(number, alive_.bind([this, number,
                                     record = found->second.record](Result<Bytes> raw) {
      if (!raw) {
        looking_ = false;
        return look_at_next();
      }
      auto work = [raw = std::move(*raw), reading = reading_of(record), logo = logo_,
                   settings = settings_, customers = customers_, phone = outside_.shop_phone()]() {
        const Rendered rendered = render_with_codes(raw, reading);
        Look look;
        look.printed = rendered.printed() || rendered.logos > 0;
        look.lines = rendered.lines.size();
        look.total = find_total(rendered.lines);
        look.customer_id = find_customer_id(rendered, settings);
        look.customer = find_customer(rendered, settings, *customers, phone);
        look.code_page = name_of(rendered.code_page);
        look.sample = sample_of(rendered.lines);
        look.guessed_page = rendered.guessed_page;
        return look;
      };
      auto done = alive_.bind([this, number](Look look) {
        looking_ = false;
        on_look(number, std::move(look));
        look_at_next();
      });
      run_on<Look>(outside_.worker, std::move(work), std::move(done));
    }));
  }
}

void Desk::on_look(std::uint64_t number, Look found) {
  const auto place = entries_.find(number);
  if (place == entries_.end()) return;
  Entry& entry = place->second;
  const bool cannot_be_sent = entry.record.cut_short;
  if (!found.printed && !entry.claim && entry.record.token.empty()) return drop(number);
  entry.total = std::move(found.total);
  entry.customer_id = std::move(found.customer_id);
  entry.lines = std::max<std::size_t>(found.lines, 1);
  if (found.guessed_page || !found.sample.empty()) {
    newest_[entry.record.printer] = {std::move(found.code_page), std::move(found.sample),
                                     found.guessed_page};
  }
  if (!std::exchange(entry.told, true)) announce(number, entry);
  if (found.customer && !entry.claim && !cannot_be_sent) {
    deliver(number, found.customer->number + "@c.us", found.customer->way);
  }
}

void Desk::announce(std::uint64_t number, Entry& entry) {
  outside_.announce(shown(entry), alive_.bind([this, number](const Result<void>& stored) {
    const auto found = entries_.find(number);
    if (found != entries_.end()) found->second.told_kept = stored.has_value();
    note_told();
  }));
}

void Desk::note_told() {
  std::uint64_t all = numbers_.last();
  for (auto it = entries_.upper_bound(numbers_.told()); it != entries_.end(); ++it) {
    if (it->second.told_kept) continue;
    all = it->first - 1;
    break;
  }
  numbers_.note_told(all);
}

std::optional<Tap::Block> Desk::make_block(std::size_t printer, Language language,
                                           const LetterState& letters) {
  const std::string phone = outside_.shop_phone();
  if (phone.empty() || stopped_ || !intake_.open(outside_.scheduler.now())) return std::nullopt;
  const PrinterSettings& settings = printers_[printer]->settings();
  Tap::Block out;
  do {
    out.token = make_token(outside_.random);
  } while (tokens_.contains(out.token));
  const std::map<std::string, std::string, std::less<>> names{{"token", out.token},
                                                              {"shop", settings_.shop}};
  QrBlock block;
  block.payload = "https://wa.me/" + phone + "?text=" + out.token;
  block.above = fill_in(settings_.above_qr, names);
  block.below = fill_in(settings_.below_qr, names);
  block.raster = settings.qr == PrinterSettings::Qr::raster;
  block.width = settings.width == 58 ? kNarrow : kWide;
  out.bytes = encode_qr_block(block, language, letters);
  return out;
}

Receipt Desk::shown(const Entry& entry) const {
  Receipt out;
  out.number = entry.record.number;
  out.printer = entry.record.printer;
  out.at = entry.record.at;
  out.until =
      outside_.clock.now() + std::max(milliseconds(0), entry.due - outside_.scheduler.now());
  if (entry.age_then) out.age = *entry.age_then + (outside_.scheduler.now() - entry.seen);
  out.token = !entry.record.token.empty();
  out.total = entry.total;
  out.lines = entry.lines;
  out.cut_short = entry.record.cut_short;
  if (entry.claim) {
    out.state = entry.claim->queued ? Receipt::State::queued : Receipt::State::sending;
    out.chat = entry.claim->chat;
    out.message_id = entry.claim->message_id;
    out.way = entry.claim->way;
  }
  return out;
}

std::vector<Receipt> Desk::list() const {
  std::vector<Receipt> out;
  for (auto it = entries_.rbegin(); it != entries_.rend(); ++it) {
    if (it->second.kept && it->second.lines > 0) out.push_back(shown(it->second));
  }
  return out;
}

std::optional<Receipt> Desk::find(std::uint64_t number) const {
  const auto found = entries_.find(number);
  if (found == entries_.end() || !found->second.kept) return std::nullopt;
  return shown(found->second);
}

void Desk::show(std::uint64_t number, std::optional<Form> picture,
                Once<void(Result<Rendering>)> done) {
  const auto found = entries_.find(number);
  if (found == entries_.end()) return done(fail(Errc::not_found, "there is no such receipt"));
  auto& worker = outside_.worker;
  shelf_.read(number, [reading = reading_of(found->second.record), logo = logo_, picture, &worker,
                       done = std::move(done)](Result<Bytes> raw) mutable {
    if (!raw) return done(tl::unexpected(raw.error()));
    auto work = [raw = std::move(*raw), reading = std::move(reading), logo,
                 picture]() -> Result<Rendering> {
      const Rendered rendered = render_with_codes(raw, reading);
      Rendering out;
      out.text = rendered.text();
      out.width = rendered.paper.width();
      out.height = rendered.paper.height();
      out.language = rendered.language == Language::star ? "star" : "escpos";
      out.code_page = name_of(rendered.code_page);
      out.guessed_page = rendered.guessed_page;
      out.qr_payloads = rendered.payloads;
      if (picture == Form::png) {
        TRY(out.png, encode_png(rendered.paper));
      }
      if (picture == Form::pdf) {
        TRY(out.pdf, encode_pdf(rendered.paper));
      }
      return out;
    };
    run_on<Result<Rendering>>(worker, std::move(work), std::move(done));
  });
}

void Desk::raw(std::uint64_t number, Once<void(Result<Bytes>)> done) {
  if (!entries_.contains(number)) return done(fail(Errc::not_found, "there is no such receipt"));
  shelf_.read(number, std::move(done));
}

Result<void> Desk::forget(std::uint64_t number) {
  if (!entries_.contains(number)) return fail(Errc::not_found, "there is no such receipt");
  drop(number);
  return {};
}

void Desk::drop(std::uint64_t number) {
  const auto found = entries_.find(number);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  if (entry.waiter) entry.waiter(fail(Errc::not_found, "the receipt has gone"));
  const std::string file = entry.claim ? entry.claim->file : std::string();
  const auto token = tokens_.find(entry.record.token);
  if (token != tokens_.end() && token->second == number) tokens_.erase(token);
  kept_bytes_ -= std::min(kept_bytes_, entry.size);
  shelf_.remove(number);
  entries_.erase(found);
  // Receipts of the same bytes share one picture.
  const bool shared = std::any_of(entries_.begin(), entries_.end(), [&file](const auto& other) {
    return other.second.claim && other.second.claim->file == file;
  });
  if (!file.empty() && !shared) outside_.remove_file(file);
}

/// What is lost with it: nothing for one that nobody can ask for, or that has been sent; a customer
/// who may still scan it; a message that waits for its picture, or is being made.
int Desk::worth_of(const Entry& entry) const {
  if (!entry.claim) return entry.record.token.empty() ? 0 : 2;
  if (entry.working || !entry.claim->queued) return 4;
  return !entry.claim->file.empty() && outside_.file_waits(entry.claim->file) ? 3 : 1;
}

/// The least worth go first, of them the oldest.
void Desk::make_room() {
  while (!entries_.empty() && (entries_.size() >= outside_.most_kept || kept_bytes_ > kMostBytes)) {
    auto one = entries_.begin();
    int least = worth_of(one->second);
    for (auto it = std::next(one); it != entries_.end() && least > 0; ++it) {
      const int worth = worth_of(it->second);
      if (worth >= least) continue;
      least = worth;
      one = it;
    }
    drop(one->first);
  }
}

void Desk::sweep() {
  const Mono now = outside_.scheduler.now();
  std::vector<std::uint64_t> due;
  for (const auto& [number, entry] : entries_) {
    if (entry.due <= now && !entry.working) due.push_back(number);
  }
  for (const std::uint64_t number : due) {
    const bool unwanted = !entries_.find(number)->second.claim;
    drop(number);
    if (unwanted) outside_.tell(Gone{number});
  }
  arm_sweep();
}

void Desk::arm_sweep() {
  constexpr milliseconds kLeast{1000};
  if (entries_.empty() || stopped_) return sweep_timer_.stop();
  const auto next =
      std::min_element(entries_.begin(), entries_.end(),
                       [](const auto& a, const auto& b) { return a.second.due < b.second.due; });
  sweep_timer_.start_at(std::max(next->second.due, outside_.scheduler.now() + kLeast),
                        [this] { sweep(); });
}

Result<std::size_t> Desk::set_customers(std::string_view csv) {
  TRY(CustomerTable table, parse_customers(csv, settings_.country));
  customers_ = std::make_shared<CustomerTable>(std::move(table));
  save_customers();
  return customers_->size();
}

void Desk::save_customers() {
  if (auto saved = outside_.blobs.save(kCustomersBlob, as_bytes(customers_csv())); !saved) {
    log::error("receipts", "the list of customers is not kept", {{"error", saved.error()}});
  }
}

std::string Desk::customers_csv() const {
  std::string out;
  for (const auto& [customer, number] : *customers_) out += customer + "," + number + "\n";
  return out;
}

Result<void> Desk::set_logo(std::size_t width, ByteView bits) {
  constexpr std::size_t kTallest = 1024;
  if (bits.empty()) {
    logo_.reset();
    return outside_.blobs.save(kLogoBlob, {});
  }
  if (width < 8 || width > kWide || width % 8 != 0) {
    return fail(Errc::malformed, "width: a multiple of 8 from 8 to 576 dots");
  }
  if (bits.size() % (width / 8) != 0 || bits.size() / (width / 8) > kTallest) {
    return fail(Errc::malformed, "bits: rows of width / 8 bytes, at most 1024 of them");
  }
  Bytes blob{static_cast<std::byte>(width & 0xFF), static_cast<std::byte>(width >> 8)};
  append(blob, bits);
  logo_ = decode_logo(blob);
  return outside_.blobs.save(kLogoBlob, blob);
}

std::vector<Receipts::PrinterStatus> Desk::printer_status() const {
  std::vector<PrinterStatus> out;
  for (const auto& printer : printers_) {
    const Printer::Status now = printer->status();
    PrinterStatus one;
    one.settings = printer->settings();
    one.busy = now.busy;
    one.waiting = now.waiting;
    one.jobs = now.jobs;
    one.connections = now.connections;
    one.refused = now.refused;
    one.trouble = now.trouble;
    one.language = now.language == Language::star ? "star" : "escpos";
    const auto newest = newest_.find(one.settings.name);
    if (newest != newest_.end()) {
      one.code_page = newest->second.code_page;
      one.sample = newest->second.sample;
      one.guessed_page = newest->second.guessed_page;
    }
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace posthorn::receipts
