#include "chat/people/numbers.h"

#include <algorithm>
#include <utility>

#include "chat/people/names.h"

namespace posthorn::chat {
namespace {

using wire::Jid;

constexpr milliseconds kTimeout{60'000};
constexpr std::size_t kMaxPhones = 50;
constexpr std::size_t kMaxDigits = 20;
constexpr std::size_t kMaxKnown = 2000;
constexpr hours kKeepYes{24};
constexpr hours kKeepNo{1};

bool is_phone(const std::string& phone) {
  return !phone.empty() && phone.size() <= kMaxDigits &&
         std::all_of(phone.begin(), phone.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

const NumberStatus* Numbers::find(const std::string& phone) {
  const auto at = known_.find(phone);
  if (at == known_.end() || at->second.until < context_.scheduler.now()) return nullptr;
  return &at->second.status;
}

void Numbers::check_numbers(std::vector<std::string> phones,
                            Once<void(Result<std::vector<NumberStatus>>)> done) {
  if (phones.size() > kMaxPhones) return done(fail(Errc::malformed, "more than 50 numbers"));
  std::vector<std::string> unknown;
  for (const std::string& phone : phones) {
    if (!is_phone(phone)) return done(fail(Errc::malformed, "not a phone number: digits only"));
    if (find(phone) == nullptr) unknown.push_back(phone);
  }
  if (unknown.empty()) return done(collect(phones));
  if (pause_.holds(context_.scheduler.now())) {
    return done(fail(Errc::busy, "numbers were checked too often, try again later"));
  }
  auto sid = hex_encode(context_.random.bytes(8));
  context_.line.ask(
      build_contact_query(unknown, std::move(sid)), kTimeout,
      [this, alive = context_.alive, phones, unknown,
       done = std::move(done)](Result<wire::Node> reply) mutable {
        if (!*alive) return done(fail(Errc::cancelled, "checking numbers"));
        auto answer = read_answer(reply);
        if (!answer) return done(tl::unexpected(std::move(answer.error())));
        lane_.exclusive(
            [this, unknown, answer = std::move(*answer)] { return take_all(unknown, answer); },
            [this, phones, done = std::move(done)](Result<void> result) mutable {
              if (!result) return done(fail(result.error(), "checking numbers"));
              done(collect(phones));
            });
      });
}

/// "429" is no reason to think that a number does not exist: it becomes busy.
Result<std::vector<UsyncUser>> Numbers::read_answer(const Result<wire::Node>& reply) {
  auto answer =
      reply ? parse_usync(*reply) : Result<std::vector<UsyncUser>>(tl::unexpected(reply.error()));
  if (answer) {
    pause_.on_success();
    return answer;
  }
  if (pause_.on_error(answer.error(), context_.scheduler.now())) {
    if (reply) tell_rate_limit(context_.line);
    return fail(Errc::busy, "numbers were checked too often, try again later");
  }
  return fail(answer.error(), "checking numbers");
}

Result<void> Numbers::take_all(const std::vector<std::string>& phones,
                               const std::vector<UsyncUser>& answer) {
  if (known_.size() + phones.size() > kMaxKnown) known_.clear();
  const Mono now = context_.scheduler.now();
  for (const std::string& phone : phones) {
    TRY(auto status, take(phone, answer));
    const milliseconds keep = status.exists ? kKeepYes : kKeepNo;
    known_[phone] = {std::move(status), now + keep};
  }
  return {};
}

Result<NumberStatus> Numbers::take(const std::string& phone, const std::vector<UsyncUser>& answer) {
  NumberStatus status;
  status.phone = phone;
  // By what was asked, not by the JID: the server corrects numbers (Brazil's ninth digit).
  const auto at = std::find_if(answer.begin(), answer.end(), [&](const UsyncUser& user) {
    return user.contact_echo == "+" + phone || user.contact_echo == phone;
  });
  if (at == answer.end() || at->contact != UsyncUser::Contact::in || at->jid.empty()) return status;
  status.exists = true;
  if (at->pn_jid && at->jid.is_lid()) {
    TRY(context_.names.learn(*at->pn_jid, at->jid));
  }
  if (at->lid && at->jid.is_pn()) {
    TRY(context_.names.learn(at->jid, *at->lid));
  }
  TRY(status.chat, context_.names.chat_id(at->jid));
  TRY(context_.names.learn_number(phone, at->jid));
  return status;
}

std::vector<NumberStatus> Numbers::collect(const std::vector<std::string>& phones) {
  std::vector<NumberStatus> list;
  for (const std::string& phone : phones) {
    const NumberStatus* known = find(phone);
    list.push_back(known ? *known : NumberStatus{phone, false, {}});
  }
  return list;
}

}  // namespace posthorn::chat
