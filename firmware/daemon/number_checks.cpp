#include "daemon/number_checks.h"

#include <utility>

namespace posthorn::daemon {

void FirstContactCheck::on_whatsapp(const std::string& chat, Once<void(Result<bool>)> done) {
  if (chat.ends_with("@lid")) return chat_.is_there(chat, std::move(done));
  chat_.people().check_numbers({chat.substr(0, chat.find('@'))},
                               [done = std::move(done)](auto answer) mutable {
                                 if (!answer) {
                                   done(tl::unexpected(answer.error()));
                                 } else if (answer->empty()) {
                                   done(fail(Errc::malformed, "no answer about the number"));
                                 } else {
                                   done(answer->front().exists);
                                 }
                               });
}

void ChargedPeople::check_numbers(std::vector<std::string> phones,
                                  Once<void(Result<std::vector<chat::NumberStatus>>)> done) {
  const std::vector<throttle::Cost> costs(phones.size());  // each is one look-up
  if (auto taken = valve_.take(costs); !taken) return done(tl::unexpected(taken.error()));
  people_.check_numbers(std::move(phones), std::move(done));
}

}  // namespace posthorn::daemon
