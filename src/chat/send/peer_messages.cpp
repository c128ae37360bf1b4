#include "chat/send/peer_messages.h"

#include <memory>
#include <utility>

#include "chat/people/ids.h"
#include "chat/people/names.h"
#include "posthorn/base/job.h"
#include "posthorn/signal/padding.h"

namespace posthorn::chat {
namespace {

using wire::Jid;
using wire::Node;

}  // namespace

/// Shared by the steps of one message.
struct PeerMessages::Work {
  wa::Message message;
  std::string id;  ///< of the one stanza; empty: made here
  std::vector<Jid> devices;
  std::vector<Node> stanzas;
};

Node build_peer_message(const std::string& id, const Jid& device,
                        const signal::Encrypted& encrypted, ByteView device_identity) {
  Node stanza("message", {{"to", device},
                          {"id", id},
                          {"type", "text"},
                          {"category", "peer"},
                          {"push_priority", "high"}});
  std::vector<Node> children;
  children.push_back(Node("meta", {{"appdata", "default"}}));
  children.push_back(
      Node("enc", {{"v", "2"}, {"type", to_string(encrypted.type)}}, encrypted.bytes));
  if (encrypted.type == signal::MessageType::pkmsg) {
    children.push_back(Node("device-identity", {}, to_bytes(device_identity)));
  }
  stanza.content = std::move(children);
  return stanza;
}

Jid PeerMessages::own_name() const {
  const session::Identity& self = context_.line.identity();
  return self.lid.empty() ? self.pn : self.lid;
}

void PeerMessages::ask_phone(wa::Message message, const std::string& id,
                             Once<void(Result<void>)> done) {
  send_to({own_name().bare()}, std::move(message), id, std::move(done));
}

void PeerMessages::send(wa::Message message, To to, Once<void(Result<void>)> done) {
  const Jid own = own_name();
  if (to == To::phone) return send_to({own.bare()}, std::move(message), "", std::move(done));
  devices_.get({own.bare()},
               [this, alive = context_.alive, own, message = std::move(message),
                done = std::move(done)](Result<std::vector<UserDevices>> lists) mutable {
                 if (!*alive) return done(fail(Errc::cancelled, "peer message"));
                 if (!lists) return done(fail(lists.error(), "own devices"));
                 std::vector<Jid> devices;
                 for (const Jid& device : lists->front().devices) {
                   if (device.device != own.device)
                     devices.push_back(own.with_device(device.device));
                 }
                 send_to(std::move(devices), std::move(message), "", std::move(done));
               });
}

void PeerMessages::answer(wa::Message message, const Jid& device, Once<void(Result<void>)> done) {
  send_to({device}, std::move(message), "", std::move(done));
}

void PeerMessages::send_to(std::vector<Jid> devices, wa::Message message, const std::string& id,
                           Once<void(Result<void>)> done) {
  if (!context_.line.online()) return done(fail(Errc::disconnected, "not connected"));
  auto work = std::make_shared<Work>();  // shared: each step hands it to the next
  work->message = std::move(message);
  work->id = id;
  work->devices = std::move(devices);
  sessions_.ensure(
      work->devices, FetchReason::ordinary,
      [this, alive = context_.alive, work,
       done = std::move(done)](Result<SessionBuilder::Lists> built) mutable {
        if (!*alive) return done(fail(Errc::cancelled, "peer message"));
        if (!built) return done(fail(built.error(), "keys of own devices"));
        lane_.exclusive(
            [this, work] { return encrypt(*work); },
            [this, alive, work, done = std::move(done)](Result<void> encrypted) mutable {
              if (!encrypted) return done(fail(encrypted.error(), "peer message"));
              context_.store.durable(
                  [this, alive, work, done = std::move(done)](Result<void> kept) mutable {
                    if (!*alive) return done(fail(Errc::cancelled, "peer message"));
                    if (!kept) return done(std::move(kept));
                    for (Node& stanza : work->stanzas) context_.line.write(std::move(stanza));
                    done({});
                  });
            });
      });
}

Result<void> PeerMessages::encrypt(Work& work) {
  const session::Identity& self = context_.line.identity();
  const std::string plain = work.message.SerializeAsString();
  for (const Jid& device : work.devices) {
    TRY(const Jid named, context_.names.preferred(device));
    auto encrypted =
        protocol_.encrypt(address_of(named), signal::pad(as_bytes(plain), context_.random));
    if (!encrypted && encrypted.error().code == Errc::not_found) continue;
    if (!encrypted) return fail(encrypted.error(), "encrypting");
    const std::string id =
        work.id.empty() ? make_message_id(context_.random, context_.clock.now(), self.pn.user)
                        : work.id;
    work.stanzas.push_back(build_peer_message(id, device, *encrypted, self.device_identity));
  }
  if (work.stanzas.empty()) return fail(Errc::not_found, "no device of the account has keys");
  return {};
}

}  // namespace posthorn::chat
