#pragma once

#include <string>
#include <string_view>

#include "posthorn/wire/node.h"

/// The small stanzas of the connection half. Pure. Source: protocol chapter 04 sections 4.3, 7, 8.
namespace posthorn::session {

/// s.whatsapp.net
[[nodiscard]] wire::Jid server_jid();

/// <iq type xmlns to="s.whatsapp.net"><child/></iq>; the id is filled in by who asks.
[[nodiscard]] wire::Node build_iq(std::string_view type, std::string_view xmlns,
                                  std::vector<wire::Node> children = {});
/// <iq type="result" id=… to=…/>: the answer to a question of the server.
[[nodiscard]] wire::Node build_iq_result(const wire::Node& question);
/// <ack class=TAG id to [participant] [recipient] [type]/> as section 7.1 says; for notifications,
/// receipts and calls. The stanza has an id.
[[nodiscard]] wire::Node build_ack(const wire::Node& stanza);
/// Section 7.6: a receipt for offer, accept, reject and enc_rekey, an ack for everything else.
[[nodiscard]] wire::Node build_call_answer(const wire::Node& call);
/// <ib><offline_batch count="N"/></ib>
[[nodiscard]] wire::Node build_offline_batch(int count);
/// <ib><unified_session id="N"/></ib>. server_ms: the server's clock, unix milliseconds.
[[nodiscard]] wire::Node build_unified_session(std::int64_t server_ms);
/// The iq that tells the server that a dirty domain was dealt with.
[[nodiscard]] wire::Node build_clean(const std::string& type, const std::string& timestamp);

/// True for a question of the server that only wants to know whether we are there.
[[nodiscard]] bool is_ping(const wire::Node& iq);

}  // namespace posthorn::session
