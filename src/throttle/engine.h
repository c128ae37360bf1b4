#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "posthorn/base/job.h"
#include "throttle/decide.h"
#include "throttle/state.h"
#include "throttle/waiting.h"

namespace posthorn::throttle {

/// The throttle without its outside: state, view and the loop around decide(). The valve drives it
/// in the box, the evaluation in the pretend WhatsApp, the property tests with random traffic.
class Engine {
 public:
  Engine() = default;

  State state;
  Waiting waiting;

  struct Step {
    enum class Kind : std::uint8_t {
      send,    ///< charged; hand `job` over now, then call finish() or put_back()
      refuse,  ///< tell its fate, then call finish()
      check,   ///< charged; ask about `chat`, then call on_checked()
      wait,    ///< nothing before `at`
    };
    Kind kind = Kind::wait;
    std::uint32_t job = kNone;
    ChatKey chat;
    Tick at = kNever;
    Refusal refusal = Refusal::expired;
    /// send: what was charged, for the journal.
    Charge charge;
  };

  /// A job has come in. Refused ones are not taken; one that was `accepted` before a restart is not
  /// refused again for want of capacity.
  Admission add(std::uint64_t sequence, const ChatKey& chat, std::uint64_t text, Tick expires,
                bool urgent, bool consent, bool confirmation, bool accepted, const Moment& moment);
  /// What to do now. At most one job is in flight: not to be called again before its finish().
  [[nodiscard]] Step next(const Moment& moment);

  /// Whether the job may be handed over when its turn has come; empty: every one may. One that may
  /// not is looked at again after a minute, or after reconsider(), and is not charged meanwhile.
  std::function<bool(std::uint64_t sequence)> ready;

  /// The job has reached its end and leaves the view.
  void finish(std::uint32_t job, const Moment& moment);
  /// The job stays, still charged, and is not looked at before `until`.
  void put_back(std::uint32_t job, Tick until, Hold why);
  /// The same for one of which nothing has left the box: its charge is taken back.
  void take_back(std::uint32_t job, Tick until, Hold why);

  // For the journal's replay: the newest charge of a job, and taking it back.
  void charge_again(const Charge& charge, Tick at);
  void take_back_newest(std::uint64_t sequence, const ChatKey& chat);
  /// nullopt: no answer; asked again after a while.
  void on_checked(const ChatKey& chat, std::optional<bool> on_whatsapp, const Moment& moment);

  /// Returns the confirmation to send when the chat has just opted out, else empty.
  std::string_view on_inbound(const ChatKey& chat, std::string_view text, Tick written,
                              const Moment& moment);
  /// Both names are one person's: records, jobs and what is counted become one.
  void join(const ChatKey& from, const ChatKey& into, Tick now);
  /// How a message typed on the phone counts; charge() it.
  [[nodiscard]] Charge own_send(const ChatKey& chat, const Moment& moment);
  /// Returns false when the signal says nothing new.
  bool on_signal(const Signal& signal, const Moment& moment);
  void set_connected(bool connected, const Moment& moment);
  /// Opt-out by an operator or by the chat itself. False: no room.
  bool set_opted_out(const ChatKey& chat, bool on, bool by_operator, bool confirm, Tick now);

  /// Something about this chat changed: puts it where it belongs now.
  void reconsider(const ChatKey& chat, Tick now);
  void reconsider_all(Tick now);

 private:
  Charge charge_for(const Decision& decision, const Moment& moment) const;

  std::optional<Charged> newest_;  ///< of the job in flight
};

}  // namespace posthorn::throttle
