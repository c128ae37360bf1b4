#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chat/content/build.h"
#include "chat/lane/context.h"
#include "chat/lane/lane.h"
#include "chat/people/bundles_fetch.h"
#include "chat/people/devices.h"
#include "chat/people/numbers.h"
#include "chat/people/tokens.h"
#include "chat/send/ack.h"
#include "chat/send/open_send.h"
#include "chat/send/stanza.h"
#include "posthorn/base/job.h"
#include "posthorn/base/once.h"
#include "posthorn/throttle/sender.h"

namespace posthorn::chat {

class LinkPreviews;
class Uploads;

/// The parts that sending uses. All outlive the flow.
struct SendTools {
  const MessageContext& context;
  ReceiveLane& lane;
  signal::Protocol& protocol;
  Devices& devices;
  SessionBuilder& sessions;
  Tokens& tokens;
  Numbers& numbers;
  Uploads* uploads = nullptr;        ///< null: no files are sent
  LinkPreviews* previews = nullptr;  ///< null: links are shown as they are
};

/// Whether what a job says is to be made ready first.
[[nodiscard]] bool needs_readying(const Content& content);
/// What a job says, as it is told. A file: with its place at WhatsApp's media host (it is uploaded
/// when it has none yet) and what a look at it says; a text: with the preview of its link. Errors:
/// refused, not_found, timeout (no try will be better), others (later).
void ready(const SendTools& tools, const Job& job, Once<void(Result<Content::What>)> done);
/// What made this message impossible before anything of it left the box is no better later.
[[nodiscard]] bool is_for_good(const Error& error);
/// How a job ends whose file is not there.
[[nodiscard]] throttle::SendOutcome::Kind outcome_without_file(const Error& error);

/// One job on its way: device lists, sessions, encrypt and commit, on disk, write, ack.
/// Kept by its own callbacks (shared, since an answer may come after the owner has let go of it)
/// and ends at every error with an outcome that says whether anything may have left the box.
/// Source: chapter 06 sections 2, 3, 5.
class SendFlow final : public OpenSend, public std::enable_shared_from_this<SendFlow> {
 public:
  static std::shared_ptr<SendFlow> start(SendTools tools, const Job& job,
                                         Once<void(throttle::SendOutcome)> done);
  ~SendFlow() override;
  void cancel() override;

 private:
  enum class Step : std::uint8_t { preparing, sent, finished };

  SendFlow(SendTools tools, Job job, Once<void(throttle::SendOutcome)> done);
  void begin();
  void on_ready(Result<Content::What> what);
  void ask_devices();
  void on_devices(Result<std::vector<UserDevices>> lists);
  void on_sessions(Result<SessionBuilder::Lists> lists);
  void encrypt_in_lane();
  Result<void> encrypt();
  Result<void> encrypt_for(const wire::Jid& device, ByteView padded, std::size_t& reached);
  void on_encrypted(Result<void> result);
  void on_may_leave(Result<void> result);
  void on_ack(Result<wire::Node> ack);
  void follow_up(const AckReading& reading);
  [[nodiscard]] Result<wire::Jid> written_to();
  void ask_number();
  void on_number(Result<std::vector<NumberStatus>> answer);
  void rebuild_and_send_again();
  void send_again_by_number(throttle::SendOutcome refused);
  void ask_lid_again();
  [[nodiscard]] bool to_ourselves() const;

  void finish(throttle::SendOutcome outcome);
  void end(throttle::SendOutcome::Kind kind, std::string detail);
  void end(const Error& error);
  template <class F>
  auto later(F member);

  SendTools tools_;
  Job job_;
  Once<void(throttle::SendOutcome)> done_;
  Step step_ = Step::preparing;
  bool has_left_ = false;  ///< some of it has been written to the wire
  wire::Jid peer_;         ///< bare, in the preferred form
  bool peer_found_ = false;
  std::vector<wire::Jid> peer_devices_, own_devices_;  ///< in the form of `to`
  std::optional<wa::Message> message_;
  OutgoingMessage stanza_;
  std::size_t reached_ = 0;  ///< devices of the peer that have a copy
  bool rebuilt_ = false;
  bool listed_again_ = false;    ///< the device lists were stale, so these are asked for anew
  bool by_number_ = false;       ///< `to` is the number although a LID is known
  bool number_instead_ = false;  ///< the LID was refused, so this is the second try
  bool asked_number_ = false;
};

}  // namespace posthorn::chat
