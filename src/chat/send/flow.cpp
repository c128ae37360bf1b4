#include "chat/send/flow.h"

#include <algorithm>
#include <utility>

#include "chat/files/link_previews.h"
#include "chat/files/uploads.h"
#include "chat/people/addressing.h"
#include "chat/people/ids.h"
#include "chat/people/names.h"
#include "posthorn/base/log.h"
#include "posthorn/signal/padding.h"

namespace posthorn::chat {
namespace {

using wire::Jid;
using Kind = throttle::SendOutcome::Kind;

constexpr milliseconds kAckTimeout{20'000};
constexpr milliseconds kLidTimeout{30'000};
constexpr int kMalformed = 400;
constexpr int kNoToken = 463;

/// The same device under the other server's name, for our own devices beside a LID or PN `to`.
Jid in_form_of(const Jid& device, const Jid& to, const session::Identity& self) {
  const Jid& own = to.is_lid() && !self.lid.user.empty() ? self.lid : self.pn;
  return own.with_device(device.device);
}

/// As a rule it lies there already: the throttle hands a job over when it is ready.
void ready_file(const SendTools& tools, const Job& job, Once<void(Result<Content::What>)> done) {
  if (tools.uploads == nullptr) return done(fail(Errc::refused, "this box carries no files"));
  const auto& said = std::get<content::File>(job.content.what);
  tools.uploads->get(said, job.expires_at,
                     [&uploads = *tools.uploads, alive = tools.context.alive, file = said,
                      done = std::move(done)](Result<content::MediaPlace> place) mutable {
                       if (!*alive) return done(fail(Errc::cancelled, "uploading"));
                       if (!place) return done(tl::unexpected(place.error()));
                       file.place = std::move(*place);
                       uploads.look(std::move(file),
                                    [done = std::move(done)](content::File seen) mutable {
                                      done(Content::What(std::move(seen)));
                                    });
                     });
}

}  // namespace

bool needs_readying(const Content& content) {
  if (!content.original.empty()) return false;
  const auto* text = std::get_if<content::Text>(&content.what);
  return std::holds_alternative<content::File>(content.what) ||
         (text != nullptr && text->link_preview);
}

void ready(const SendTools& tools, const Job& job, Once<void(Result<Content::What>)> done) {
  const auto* text = std::get_if<content::Text>(&job.content.what);
  if (text == nullptr) return ready_file(tools, job, std::move(done));
  if (tools.previews == nullptr) return done(Content::What(*text));
  tools.previews->get(*text, [done = std::move(done)](content::Text found) mutable {
    done(Content::What(std::move(found)));
  });
}

bool is_for_good(const Error& error) {
  return error.code == Errc::unsupported || error.code == Errc::malformed ||
         error.code == Errc::not_found;
}

Kind outcome_without_file(const Error& error) {
  const bool for_good =
      error.code == Errc::refused || error.code == Errc::not_found || error.code == Errc::timeout;
  return for_good ? Kind::rejected : Kind::not_sent;
}

/// A callback for a member function that does nothing once the flow is finished.
template <class F>
auto SendFlow::later(F member) {
  return [self = shared_from_this(), member](auto result) {
    if (self->step_ != Step::finished) ((*self).*member)(std::move(result));
  };
}

std::shared_ptr<SendFlow> SendFlow::start(SendTools tools, const Job& job,
                                          Once<void(throttle::SendOutcome)> done) {
  std::shared_ptr<SendFlow> flow(new SendFlow(tools, job, std::move(done)));
  flow->begin();
  return flow;
}

SendFlow::SendFlow(SendTools tools, Job job, Once<void(throttle::SendOutcome)> done)
    : tools_(tools), job_(std::move(job)), done_(std::move(done)) {}

SendFlow::~SendFlow() = default;

void SendFlow::cancel() {
  if (step_ == Step::finished) return;
  end(step_ == Step::sent ? Kind::uncertain : Kind::not_sent, "the session has ended");
}

void SendFlow::finish(throttle::SendOutcome outcome) {
  if (step_ == Step::finished) return;
  step_ = Step::finished;
  done_(std::move(outcome));
}

void SendFlow::end(Kind kind, std::string detail) {
  throttle::SendOutcome outcome;
  outcome.kind = kind == Kind::not_sent && has_left_ ? Kind::uncertain : kind;
  outcome.detail = std::move(detail);
  outcome.server_time = tools_.context.clock.now();
  finish(std::move(outcome));
}

/// Before anything has left the box: hand it over again later.
void SendFlow::end(const Error& error) { end(Kind::not_sent, to_string(error)); }

bool SendFlow::to_ourselves() const { return is_own_user(tools_.context.line.identity(), peer_); }

void SendFlow::begin() {
  const auto chat = tools_.context.names.addressed(job_.chat);
  if (!chat) return end(Kind::rejected, chat.error().detail);
  if (!chat->is_person()) return end(Kind::rejected, "this is not a person's chat");
  if (!tools_.context.line.online()) return end(Kind::not_sent, "not connected");
  auto earlier = find_earlier(tools_.context, job_.id);
  if (!earlier) return end(earlier.error());
  if (earlier->outcome) return finish(std::move(*earlier->outcome));
  message_ = std::move(earlier->message);
  const auto named = tools_.context.names.preferred(*chat);
  if (!named) return end(named.error());
  peer_ = *named;
  by_number_ = tools_.context.addressing.by_number();
  if (!message_ && needs_readying(job_.content))
    return ready(tools_, job_, later(&SendFlow::on_ready));
  ask_devices();
}

void SendFlow::on_ready(Result<Content::What> what) {
  if (!what) return end(outcome_without_file(what.error()), what.error().detail);
  job_.content.what = std::move(*what);
  ask_devices();
}

void SendFlow::ask_devices() {
  const session::Identity& self = tools_.context.line.identity();
  std::vector<Jid> users{peer_};
  if (!to_ourselves()) users.push_back(in_form_of({}, peer_, self).bare());
  tools_.devices.get(std::move(users), later(&SendFlow::on_devices));
}

void SendFlow::on_devices(Result<std::vector<UserDevices>> lists) {
  if (!lists) return end(lists.error());
  const session::Identity& self = tools_.context.line.identity();
  // A number may have turned out to have a LID.
  peer_ = lists->front().user;
  peer_found_ = lists->front().found;
  peer_devices_.clear();
  own_devices_.clear();
  for (const UserDevices& user : *lists) {
    const bool own = is_own_user(self, user.user);
    for (const Jid& device : user.devices) {
      if (!own)
        peer_devices_.push_back(device);
      else if (device.device != self.pn.device) {
        own_devices_.push_back(in_form_of(device, peer_, self));
      }
    }
  }
  if (peer_devices_.empty() && !to_ourselves()) peer_devices_.push_back(peer_);
  std::vector<Jid> all = peer_devices_;
  all.insert(all.end(), own_devices_.begin(), own_devices_.end());
  tools_.sessions.ensure(std::move(all),
                         rebuilt_ ? FetchReason::identity_changed : FetchReason::ordinary,
                         later(&SendFlow::on_sessions));
}

void SendFlow::on_sessions(Result<SessionBuilder::Lists> lists) {
  if (!lists) return end(lists.error());
  // Once: a server that goes on naming a device without keys holds nobody up.
  if (*lists == SessionBuilder::Lists::stale && !std::exchange(listed_again_, true))
    return ask_devices();
  encrypt_in_lane();
}

void SendFlow::encrypt_in_lane() {
  tools_.lane.exclusive(
      [self = shared_from_this()]() -> Result<void> {
        if (self->step_ == Step::finished) return {};
        return self->encrypt();
      },
      later(&SendFlow::on_encrypted));
}

Result<Jid> SendFlow::written_to() {
  if (!by_number_ || !peer_.is_lid() || to_ourselves()) return peer_;
  TRY(const auto pn, tools_.context.names.other(peer_));
  return pn.value_or(peer_);
}

/// Inside the lane's transaction: every session that moves is committed before the stanza leaves,
/// and on disk or not too far ahead of it (Store::leave).
Result<void> SendFlow::encrypt() {
  const auto& context = tools_.context;
  if (!message_) {
    TRY(const Jid to, written_to());
    TRY(message_, message_of(context, job_, peer_, to));
  }
  stanza_ = {};
  stanza_.id = job_.id;
  TRY(stanza_.to, written_to());
  stanza_.attrs = describe_content(*message_);
  stanza_.device_identity = context.line.identity().device_identity;
  if (stanza_.to.is_lid()) {
    TRY(stanza_.peer_recipient_pn, context.names.other(peer_));
  }
  if (!to_ourselves()) {
    TRY(stanza_.tctoken, tools_.tokens.token_for(peer_));
    TRY(stanza_.cstoken, tools_.tokens.stranger_token_for(peer_));
  }
  const Bytes plain = signal::pad(as_bytes(message_->SerializeAsString()), context.random);
  const Bytes copy = signal::pad(as_bytes(build_device_sent(*message_, peer_).SerializeAsString()),
                                 context.random);
  reached_ = 0;
  std::size_t own_reached = 0;
  for (const Jid& device : peer_devices_) {
    TRY(encrypt_for(device, plain, reached_));
  }
  for (const Jid& device : own_devices_) {
    TRY(encrypt_for(device, copy, own_reached));
  }
  return save_sent(context, job_, peer_, *message_);
}

Result<void> SendFlow::encrypt_for(const Jid& device, ByteView padded, std::size_t& reached) {
  TRY(const Jid named, tools_.context.names.preferred(from_hosted(device)));
  auto encrypted = tools_.protocol.encrypt(address_of(named), padded);
  if (!encrypted && encrypted.error().code == Errc::not_found) return {};
  if (!encrypted) return fail(encrypted.error(), "encrypting");
  const bool own = is_own_user(tools_.context.line.identity(), device);
  const Jid& to = stanza_.to;
  stanza_.copies.push_back({own          ? in_form_of(device, to, tools_.context.line.identity())
                            : by_number_ ? to.with_device(device.device)
                                         : device,
                            std::move(*encrypted)});
  ++reached;
  return {};
}

void SendFlow::on_encrypted(Result<void> result) {
  if (!result && is_for_good(result.error())) {
    return end(Kind::rejected, result.error().detail);
  }
  if (!result) return end(result.error());
  if (reached_ == 0 && !to_ourselves()) {
    if (!peer_found_) return ask_number();
    return end(Kind::rejected, "no device of the recipient has keys");
  }
  tools_.context.store.leave(later(&SendFlow::on_may_leave));
}

/// Nobody there under this name. The number may lead to an account that has another one.
void SendFlow::ask_number() {
  const auto chat = parse_chat_id(job_.chat);
  if (!chat || !chat->is_pn() || std::exchange(asked_number_, true)) {
    return end(Kind::no_account, "this number is not on WhatsApp");
  }
  if (auto forgotten = tools_.context.names.forget_number(chat->user); !forgotten) {
    return end(forgotten.error());
  }
  tools_.numbers.check_anew(chat->user, later(&SendFlow::on_number));
}

void SendFlow::on_number(Result<std::vector<NumberStatus>> answer) {
  if (!answer) return end(answer.error());
  if (answer->empty() || !answer->front().exists) {
    return end(Kind::no_account, "this number is not on WhatsApp");
  }
  const auto chat = tools_.context.names.addressed(job_.chat);
  const auto named = chat ? tools_.context.names.preferred(*chat) : chat;
  if (!named) return end(named.error());
  if (*named == peer_) return end(Kind::rejected, "no device of the recipient has keys");
  peer_ = *named;
  ask_devices();
}

void SendFlow::on_may_leave(Result<void> result) {
  if (!result) return end(result.error());
  if (!tools_.context.line.online()) return end(Kind::not_sent, "not connected");
  step_ = Step::sent;
  has_left_ = true;
  // First the waiting, then the write: a link that answers at once must find us.
  auto stanza = build_message(stanza_);
  stanza_.copies.clear();
  tools_.context.line.await_ack(job_.id, kAckTimeout, later(&SendFlow::on_ack));
  tools_.context.line.write(std::move(stanza));
}

void SendFlow::on_ack(Result<wire::Node> ack) {
  if (!ack) return end(Kind::uncertain, to_string(ack.error()));
  AckReading reading = read_ack(*ack, job_.chat, tools_.context.clock.now());
  follow_up(reading);
  if (reading.rebuild_and_retry && !rebuilt_) return rebuild_and_send_again();
  if (reading.outcome.code == kMalformed && stanza_.to.is_lid() && !to_ourselves())
    return send_again_by_number(std::move(reading.outcome));
  finish(std::move(reading.outcome));
}

void SendFlow::follow_up(const AckReading& reading) {
  const auto& context = tools_.context;
  if (reading.outcome.kind == Kind::sent) {
    if (auto marked =
            context.messages.raise_status(job_.id, store::MessageStore::Sent::Status::acked);
        !marked) {
      log::warn("messages", "ack could not be stored", {{"why", marked.error()}});
    }
    if (!to_ourselves()) tools_.tokens.after_send(peer_);
    if (number_instead_) tools_.context.addressing.on_number_taken();
  }
  // 463 to a number whose LID is known: WhatsApp has moved this account meanwhile.
  if (reading.outcome.code == kNoToken && by_number_ && peer_.is_lid())
    tools_.context.addressing.on_moved();
  if (reading.refresh_devices) {
    for (const Jid& user : {peer_, in_form_of({}, peer_, context.line.identity()).bare()}) {
      const auto named = context.names.preferred(user);
      if (!named || !tools_.devices.drop(*named)) log::warn("messages", "stale device list");
    }
  }
  if (reading.issue_token) tools_.tokens.issue_again(peer_);
  if (reading.refresh_lid) ask_lid_again();
  if (reading.restriction) context.line.restrict(*reading.restriction);
}

/// 479: a session or the device list is stale. Once, with new lists and new sessions.
void SendFlow::rebuild_and_send_again() {
  rebuilt_ = true;
  step_ = Step::preparing;
  ask_devices();
}

/// An account that WhatsApp has not moved to LIDs refuses every one of them.
void SendFlow::send_again_by_number(throttle::SendOutcome refused) {
  const auto pn = tools_.context.names.other(peer_);
  if (!pn || !*pn) return finish(std::move(refused));
  by_number_ = true;
  number_instead_ = true;
  step_ = Step::preparing;
  encrypt_in_lane();
}

void SendFlow::ask_lid_again() {
  const auto pn = tools_.context.names.other(peer_);
  const Jid asked = peer_.is_pn() ? peer_ : pn && *pn ? **pn : Jid{};
  if (asked.empty()) return;
  const std::vector<Jid> users{asked};
  auto sid = hex_encode(tools_.context.random.bytes(8));
  tools_.context.line.ask(build_lid_query(users, std::move(sid)), kLidTimeout,
                          [tools = tools_, asked](Result<wire::Node> reply) {
                            const auto answer =
                                reply ? parse_usync(*reply) : fail(reply.error(), "lid");
                            if (!answer || answer->empty() || !answer->front().lid) return;
                            tools.lane.exclusive(
                                [tools, asked, lid = *answer->front().lid] {
                                  return tools.context.names.learn(asked, lid);
                                },
                                [](Result<void>) {});
                          });
}

}  // namespace posthorn::chat
