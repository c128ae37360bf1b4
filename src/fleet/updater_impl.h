#pragma once

#include <optional>
#include <string>

#include "fleet/ddi.h"
#include "fleet/update_job.h"
#include "posthorn/base/alive.h"
#include "posthorn/fleet/updater.h"

namespace posthorn::fleet {

class Updater::Impl {
 public:
  Impl(Outside outside, const Settings& settings);
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void start();
  Result<void> update(const std::string& key, const json::Value& args);
  [[nodiscard]] std::string state() const;
  [[nodiscard]] std::string failure() const { return failure_; }

 private:
  using Answer = Result<net::HttpResponse>;

  // updater_server.cpp: what is said to hawkBit
  void poll();
  void on_poll(const Answer& answer);
  void tell_attributes(const std::string& url);
  void ask_deployment(const std::string& url);
  void on_deployment(const Answer& answer);
  void ask_cancel(const std::string& url);
  void on_cancel(const std::string& url, const Answer& answer);
  void feedback(std::string_view execution, std::string_view finished, const std::string& detail,
                Function<void(bool heard)> done);
  void send(net::HttpRequest request, Function<void(const Answer&)> done);
  [[nodiscard]] std::string base() const;
  [[nodiscard]] bool may_ask(const std::string& url) const;

  // updater.cpp: the job, step by step
  void begin(UpdateJob job);
  void work();
  void work_again(milliseconds after);
  void download();
  void on_downloaded(std::uint64_t from, const Answer& answer);
  void check_bundle();
  void wait_for_hours();
  void install();
  void look_at_link();
  void hand_over();
  void on_handed(const Result<BoxAnswer>& answer);
  void look_at_install();
  void on_install_status(const std::string& status, const std::string& detail);
  void prove();
  void on_health(const Result<BoxAnswer>& answer);
  void decide(bool good, const std::string& detail);
  void report();
  void keep();
  void ask_box(BoxRequest request, Function<void(const Result<BoxAnswer>&)> done);

  Outside outside_;
  const Settings& settings_;
  std::optional<UpdateJob> job_;
  std::string finished_;  ///< the last job's id: an offer of it that is still on its way is none
  std::string failure_;
  std::string last_;  ///< how the last one ended
  std::string attributes_;
  bool window_closed_ = false;
  bool no_resume_ = false;  ///< the server does not resume: always from the beginning
  bool resumed_ = false;    ///< part of it was there before
  int failures_ = 0;        ///< in a row, of the download
  bool seen_installing_ = false;
  std::string status_before_;
  std::optional<Mono> well_since_;
  std::optional<Mono> step_since_;
  std::shared_ptr<bool> transfer_;  ///< the download under way; false: cancelled
  Timer poll_timer_;
  Timer work_timer_;
  Alive<Impl> alive_{this};
};

}  // namespace posthorn::fleet
