#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <utility>

#include "posthorn/base/log.h"
#include "receipts/desk.h"
#include "receipts/picture.h"

namespace posthorn::receipts {

namespace {

constexpr seconds kRetryFirst{10};
constexpr minutes kRetryLongest{10};
constexpr hours kAsked{24};
constexpr std::size_t kMostRegulars = 2000;
constexpr std::size_t kLongestText = 15'000;

std::string consent_of(std::string_view way) {
  if (way == "till") return "spoken";
  return way == "scan" ? "" : "form";
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

std::string trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n.!");
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(" \t\r\n.!") - begin + 1));
}

/// "2026-11-28 14:05"
std::string date_of(Wall at, seconds offset) {
  const auto shifted = static_cast<std::time_t>(at.unix_seconds() + offset.count());
  std::tm parts{};
  gmtime_r(&shifted, &parts);
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M", &parts);
  return std::string(text.data(), size);
}

/// Shown with letters of one width.
std::string as_code(const std::string& text) {
  std::string kept = text.substr(0, kLongestText);
  while (!kept.empty() && kept.size() < text.size() && (kept.back() & 0xC0) == 0x80)
    kept.pop_back();
  return "```\n" + kept + "```";
}

Result<void> fill_message(Outgoing& out, const Rendered& rendered, Form form) {
  // A picture with holes is worth less than its text.
  const bool drawn = form != Form::text && rendered.drawable();
  if (!drawn && rendered.letters > 0) {
    out.form = Form::text;
    out.text = as_code(rendered.text()) + (out.text.empty() ? "" : "\n" + out.text);
    return {};
  }
  out.form = form == Form::pdf ? Form::pdf : Form::png;
  out.width = rendered.paper.width();
  out.height = rendered.paper.height();
  out.name += out.form == Form::pdf ? ".pdf" : ".png";
  TRY(out.file, out.form == Form::pdf ? encode_pdf(rendered.paper) : encode_png(rendered.paper));
  return {};
}

/// What another try may find otherwise; cancelled: the box is restarting.
bool may_pass(Errc code) {
  return code == Errc::full || code == Errc::busy || code == Errc::io || code == Errc::cancelled;
}

}  // namespace

/// One customer has the till's printed number, WhatsApp's own and a LID.
bool Desk::same_person(const std::string& chat, const std::string& other) const {
  if (chat == other) return true;
  if (outside_.account_of && outside_.account_of(chat) == outside_.account_of(other)) return true;
  return chat.ends_with("@c.us") && other.ends_with("@c.us") &&
         same_number(std::string_view(chat).substr(0, chat.find('@')),
                     std::string_view(other).substr(0, other.find('@')));
}

std::string fill_in(std::string_view text,
                    const std::map<std::string, std::string, std::less<>>& names) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    std::string filled;
    std::size_t asked = 0, known = 0;
    while (!line.empty()) {
      const std::size_t open = line.find('{');
      const std::size_t close = open == std::string_view::npos ? open : line.find('}', open);
      if (close == std::string_view::npos) break;
      const auto found = names.find(line.substr(open + 1, close - open - 1));
      filled += line.substr(0, open);
      ++asked;
      if (found != names.end() && !found->second.empty()) {
        ++known;
        filled += found->second;
      }
      line.remove_prefix(close + 1);
    }
    filled += line;
    if (asked > 0 && known == 0) continue;
    if (!out.empty()) out += '\n';
    out += filled;
  }
  return out;
}

bool Desk::on_message(const std::string& chat, std::string_view text) {
  if (chat.ends_with("@g.us")) return false;
  const auto token = parse_token(text);
  if (!token) return on_regular_word(chat, text);
  const Mono now = outside_.scheduler.now();
  if (!guesses_.allows(chat, now)) return true;
  const auto found = tokens_.find(*token);
  const auto entry = found == tokens_.end() ? entries_.end() : entries_.find(found->second);
  const bool open = entry != entries_.end() && entry->second.due > now;
  if (open && !entry->second.claim && !entry->second.record.cut_short) {
    deliver(entry->first, chat, Way::scan);
    return true;
  }
  // Who asks twice has it already, or gets it in a moment.
  if (open && entry->second.claim && same_person(entry->second.claim->chat, chat)) return true;
  if (guesses_.on_wrong(chat, now)) answer_unknown(chat);
  return true;
}

void Desk::answer_unknown(const std::string& chat) {
  if (!settings_.unknown.empty()) send_text(chat, settings_.unknown);
}

void Desk::send_text(const std::string& chat, const std::string& text) {
  Outgoing out;
  out.message_id = outside_.new_message_id();
  out.chat = chat;
  out.text = text;
  outside_.send(std::move(out), [](const Result<std::string>& queued) {
    if (!queued) log::warn("receipts", "an answer was not queued", {{"error", queued.error()}});
  });
}

void Desk::send(std::uint64_t number, const std::string& chat, Once<void(Result<void>)> done) {
  const auto found = entries_.find(number);
  if (found == entries_.end()) return done(fail(Errc::not_found, "there is no such receipt"));
  Entry& entry = found->second;
  if (entry.record.cut_short) {
    return done(fail(Errc::refused, "this job was longer than 4 MiB and is not whole"));
  }
  if (entry.claim) {
    return done(fail(Errc::refused, same_person(entry.claim->chat, chat)
                                        ? "this receipt is on its way to them, or was sent"
                                        : "this receipt went to somebody else already"));
  }
  entry.waiter = std::move(done);
  deliver(number, chat, Way::till);
}

void Desk::deliver(std::uint64_t number, const std::string& chat, Way way) {
  Entry& entry = entries_.find(number)->second;
  Claim claim;
  claim.chat = chat;
  claim.message_id = outside_.new_message_id();
  claim.way = to_string(way);
  claim.at = outside_.clock.now();
  entry.claim = claim;
  entry.working = true;
  entry.due = outside_.scheduler.now() + settings_.sent_life;
  if (way == Way::scan && !entry.customer_id.empty() && regulars_.size() < kMostRegulars) {
    ++regulars_[{chat, entry.customer_id}].scans;
  }
  arm_sweep();
  shelf_.claim(number, claim, alive_.bind([this, number](const Result<void>& kept) {
    const auto found = entries_.find(number);
    if (found == entries_.end()) return;
    found->second.working = false;
    if (!kept) {
      log::error("receipts", "who gets a receipt cannot be kept, so nobody gets it",
                 {{"number", number}, {"error", kept.error()}});
      found->second.claim.reset();
      found->second.due = outside_.scheduler.now() + life_of(found->second);
      arm_sweep();
      if (found->second.waiter) found->second.waiter(tl::unexpected(kept.error()));
      return;
    }
    make_message(number);
  }));
}

std::string Desk::question_for(const Entry& entry) {
  if (entry.claim->way != "scan" || entry.customer_id.empty()) return "";
  if (customers_->contains(entry.customer_id) || settings_.regular_question.empty()) return "";
  const auto found = regulars_.find({entry.claim->chat, entry.customer_id});
  if (found == regulars_.end() || found->second.scans < 2) return "";
  found->second.asked = outside_.scheduler.now();
  return settings_.regular_question;
}

bool Desk::on_regular_word(const std::string& chat, std::string_view text) {
  if (text.size() > 64 || settings_.regular_word.empty()) return false;
  if (upper(trimmed(text)) != upper(settings_.regular_word)) return false;
  const Mono now = outside_.scheduler.now();
  for (auto& [key, regular] : regulars_) {
    if (key.first != chat || !regular.asked || now - *regular.asked > kAsked) continue;
    if (!chat.ends_with("@c.us")) return false;
    auto table = std::make_shared<CustomerTable>(*customers_);
    (*table)[key.second] = chat.substr(0, chat.find('@'));
    customers_ = std::move(table);
    regular.asked.reset();
    save_customers();
    if (!settings_.regular_thanks.empty()) send_text(chat, settings_.regular_thanks);
    return true;
  }
  return false;
}

std::string Desk::caption_of(const Entry& entry) {
  std::string out =
      fill_in(settings_.caption,
              {{"shop", settings_.shop},
               {"total", entry.total},
               {"number", std::to_string(entry.record.number)},
               {"date", date_of(entry.record.at, outside_.utc_offset(entry.record.at))}});
  const std::string question = question_for(entry);
  if (!question.empty()) out += (out.empty() ? "" : "\n\n") + question;
  return out;
}

void Desk::make_message(std::uint64_t number) {
  const auto found = entries_.find(number);
  if (found == entries_.end() || found->second.working || !found->second.claim) return;
  Entry& entry = found->second;
  entry.working = true;
  Outgoing out;
  out.message_id = entry.claim->message_id;
  out.chat = entry.claim->chat;
  out.consent = consent_of(entry.claim->way);
  out.text = caption_of(entry);
  out.name = "receipt-" + std::to_string(number);
  shelf_.read(number, alive_.bind([this, number, out = std::move(out),
                                   record = entry.record](Result<Bytes> raw) mutable {
    if (!raw) {
      return on_message_made(number, {std::move(out), tl::unexpected(raw.error())});
    }
    auto work = [raw = std::move(*raw), reading = reading_of(record), logo = logo_,
                 form = settings_.form, out = std::move(out)]() mutable {
      Message message{std::move(out), {}};
      message.made = fill_message(message.outgoing, render(raw, reading), form);
      return message;
    };
    auto done = alive_.bind(
        [this, number](Message message) { on_message_made(number, std::move(message)); });
    run_on<Message>(outside_.worker, std::move(work), std::move(done));
  }));
}

void Desk::on_message_made(std::uint64_t number, Message message) {
  if (!entries_.contains(number)) return;
  if (!message.made) return on_queued(number, tl::unexpected(message.made.error()));
  outside_.send(std::move(message.outgoing),
                alive_.bind([this, number](const Result<std::string>& queued) {
                  on_queued(number, queued);
                }));
}

void Desk::on_queued(std::uint64_t number, const Result<std::string>& queued) {
  const auto found = entries_.find(number);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  entry.working = false;
  if (!queued) {
    if (!may_pass(queued.error().code)) return give_up(entry, queued.error());
    log::warn("receipts", "a receipt is not queued yet",
              {{"number", number}, {"tries", entry.tries + 1}, {"error", queued.error()}});
    const milliseconds wait = kRetryFirst * (1 << std::min(entry.tries++, 10));
    entry.again = outside_.scheduler.now() + std::min<milliseconds>(wait, kRetryLongest);
    if (entry.waiter) {
      entry.waiter(
          fail(queued.error().code, "not queued yet, and tried again: " + queued.error().detail));
    }
    return arm_retry();
  }
  entry.claim->queued = true;
  entry.claim->file = *queued;
  shelf_.claim(number, *entry.claim, [](const Result<void>& kept) {
    if (!kept) log::warn("receipts", "not noted as queued", {{"error", kept.error()}});
  });
  outside_.tell(Sent{shown(entry)});
  if (entry.waiter) entry.waiter({});
}

void Desk::give_up(Entry& entry, const Error& error) {
  log::error("receipts", "a receipt cannot be sent",
             {{"number", entry.record.number}, {"error", error}});
  NotQueued event{shown(entry), error.detail};
  event.receipt.state = Receipt::State::waiting;
  entry.claim.reset();
  entry.tries = 0;
  entry.due = outside_.scheduler.now() + life_of(entry);
  shelf_.unclaim(entry.record.number);
  arm_sweep();
  if (auto waiter = std::exchange(entry.waiter, {})) waiter(fail(error.code, error.detail));
  outside_.tell(event);
}

void Desk::arm_retry() {
  std::optional<Mono> soonest;
  for (const auto& [number, entry] : entries_) {
    if (!entry.claim || entry.claim->queued || entry.working) continue;
    soonest = soonest ? std::min(*soonest, entry.again) : entry.again;
  }
  if (soonest) retry_timer_.start_at(*soonest, [this] { retry(); });
}

void Desk::retry() {
  const Mono now = outside_.scheduler.now();
  for (const auto& [number, entry] : entries_) {
    if (!entry.claim || entry.claim->queued || entry.working || entry.again > now) continue;
    outside_.scheduler.post(alive_.bind([this, one = number] { make_message(one); }));
  }
  outside_.scheduler.post(alive_.bind([this] { arm_retry(); }));
}

}  // namespace posthorn::receipts
