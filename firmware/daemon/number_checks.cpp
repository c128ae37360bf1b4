#include "daemon/number_checks.h"

#include <utility>

namespace posthorn::daemon {

void FirstContactCheck::on_whatsapp(const std::string& chat, Once<void(Result<bool>)> done) {
  if (!chat.ends_with("@c.us")) {
    done(true);  // a group or a LID came from WhatsApp itself
    return;
  }
  people_.check_numbers({chat.substr(0, chat.find('@'))},
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
  for (std::size_t i = 0; i < phones.size(); ++i) {
    if (auto taken = valve_.take(throttle::Action::look_up); !taken) {
      done(tl::unexpected(taken.error()));
      return;
    }
  }
  people_.check_numbers(std::move(phones), std::move(done));
}

}  // namespace posthorn::daemon
