#pragma once

#include <map>
#include <string>

#include "api/context.h"
#include "api/page/login.h"
#include "posthorn/base/alive.h"

namespace posthorn::api {

/// "/plain": how the box is, and linking the phone, for browsers without script: text browsers, old
/// tablets, and a box that was built without the page. In English.
class PlainPage {
 public:
  struct Outside {
    Context& context;
    PageSessions& sessions;
    PagePassword& password;
    Login& login;
    bool has_page = false;  ///< there is the other one, with script
  };
  explicit PlainPage(Outside outside) : outside_(outside) {}

  void handle(const Request& request, Reply reply);

 private:
  using Fields = std::map<std::string, std::string>;

  void on_form(const Request& request, const Fields& fields, Reply reply);
  void log_in(const Request& request, const Fields& fields, Reply reply);
  void link_by_code(const Request& request, const std::string& number, Reply reply);
  /// said: one sentence on top.
  [[nodiscard]] Response show(const Request& request, bool logged_in,
                              const std::string& said) const;
  [[nodiscard]] std::string form(const Request& request, const std::string& what,
                                 const std::string& inside, const std::string& button) const;
  [[nodiscard]] std::string doors() const;
  [[nodiscard]] std::string state(const Request& request) const;
  [[nodiscard]] std::string linking(const Request& request) const;

  Outside outside_;
  Alive<PlainPage> alive_{this};
};

}  // namespace posthorn::api
