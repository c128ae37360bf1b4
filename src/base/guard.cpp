#include "posthorn/base/guard.h"

#include "posthorn/base/log.h"

namespace posthorn {

void tell_thrown(const char* where, const char* what) noexcept {
  try {
    log::error(where, "a fault of the program was caught; please report it", {{"thrown", what}});
  } catch (...) {  // no memory left to say so
  }
}

}  // namespace posthorn
