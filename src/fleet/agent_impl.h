#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "fleet/alert_board.h"
#include "fleet/backoff.h"
#include "fleet/box_view.h"
#include "fleet/command_journal.h"
#include "fleet/commands.h"
#include "fleet/event_pump.h"
#include "fleet/last_words.h"
#include "fleet/pause.h"
#include "fleet/reports.h"
#include "posthorn/fleet/agent.h"
#include "posthorn/fleet/desk.h"
#include "posthorn/fleet/updater.h"

namespace posthorn::fleet {

class Agent::Impl final : public Broker::Listener {
 public:
  Impl(Outside outside, Settings settings);
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<void> start();
  void stop();
  [[nodiscard]] Counters counters() const {
    return {connects_, pump_ ? pump_->published() : 0, commands_ ? commands_->done() : 0,
            ignored_ + (commands_ ? commands_->ignored() : 0)};
  }

  void on_connected() override;
  void on_lost(Loss why, const std::string& detail) override;
  void on_acknowledged(int id, bool taken) override;
  void on_message(const Incoming& message) override;

 private:
  Result<void> load_counters();
  Result<void> save_counters();
  Result<void> load_hash_key();
  [[nodiscard]] std::string online_text(bool online) const;
  [[nodiscard]] std::string birth() const;
  void connect();
  void tell_loss(Loss why, const std::string& detail, milliseconds after);
  void on_look();
  void say_state(bool always);
  void say_metrics();
  void on_online(const Incoming& message);
  [[nodiscard]] StateFacts state_facts() const;
  void on_gap(std::uint64_t from, std::uint64_t to);
  void settle_renewal();
  [[nodiscard]] json::Value report() const;
  void on_wish(const Desk::Wish& wish);

  // own_commands.cpp
  [[nodiscard]] std::map<std::string, Commands::Here, std::less<>> own_commands();
  void get_status(const Command& command, Commands::Done done);
  void rebirth(const Command& command, Commands::Done done);
  void pause_sending(const Command& command, bool paused, Commands::Done done);
  void renew(const Command& command, Commands::Done done);
  void diagnose(const Command& command, Commands::Done done);
  void update(const Command& command, Commands::Done done);

  Outside outside_;
  Settings settings_;
  Topics topics_;
  CertificateFacts certificate_;
  Bytes hash_key_;
  Outlet outlet_;
  LastWords words_;
  Backoff backoff_;
  CommandJournal journal_;
  BoxView view_;
  Pause pause_;
  DayCounters day_;
  std::unique_ptr<AlertBoard> alerts_;
  std::unique_ptr<EventPump> pump_;
  std::unique_ptr<Commands> commands_;
  Timer connect_;
  Timer state_timer_;
  Desk desk_;
  Timer leaving_;
  std::string lost_detail_;      ///< why there is no connection, as told last
  std::int64_t link_since_ = 0;  ///< unix; when the connection came or went; 0: unknown
  std::optional<Mono> connected_at_;
  std::string said_state_;
  Mono said_state_at_{};
  Mono said_metrics_at_{};
  std::string told_failure_;
  std::string told_cause_;
  Mono told_at_{};
  bool told_refusal_ = false;
  std::int64_t boot_ = 0;
  std::int64_t birth_sequence_ = 0;
  std::uint64_t connects_ = 0;
  std::uint64_t ignored_ = 0;
  std::string run_;          ///< this life of the agent
  std::string runs_before_;  ///< the ones before that were connected
  bool twin_ = false;        ///< somebody else says that they are this box
  int trials_ = 0;
  Alive<Impl> alive_{this};
};

}  // namespace posthorn::fleet
