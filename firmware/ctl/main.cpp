#include <curl/curl.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "ctl/care.h"
#include "ctl/commands.h"

namespace posthorn::ctl {
namespace {

int main_with(int argc, char** argv) {
  CLI::App options{"posthornctl: looks after a Posthorn box over its local API"};
  options.set_version_flag("--version", POSTHORN_VERSION);
  options.require_subcommand(1);
  std::string access_file = "/var/lib/posthorn/access.json";
  Access given;
  options.add_option("--access", access_file, "file with URL and token, written by posthornd")
      ->envname("POSTHORN_ACCESS")
      ->capture_default_str();
  options.add_option("--url", given.url, "instead of the file: http://box:8080");
  options.add_option("--id", given.id_instance, "instead of the file: idInstance");
  options.add_option("--token", given.token, "instead of the file: apiTokenInstance");

  std::string ca_file;
  options.add_option("--ca", ca_file, "with https://: the box's own certificate, /certificate.pem");

  bool as_json = false;
  CLI::App* status = options.add_subcommand("status", "how the box is");
  status->add_flag("--json", as_json, "as one line of JSON");

  bool as_text = false;
  std::string phone;
  int wait_seconds = 180;
  CLI::App* pair_command = options.add_subcommand("pair", "link the shop's phone");
  pair_command->add_flag("--text", as_text, "print the text of the QR code and end");
  pair_command->add_option("--code", phone, "link by 8 characters instead; the phone's number");
  pair_command->add_option("--wait", wait_seconds, "seconds until it gives up")
      ->capture_default_str();

  std::string chat;
  std::string text;
  CLI::App* send = options.add_subcommand("send", "queue a text message");
  send->add_option("chat", chat, "number or chatId")->required();
  send->add_option("text", text)->required();

  CLI::App* queue = options.add_subcommand("queue", "messages that wait, and for what");

  int events = 0;
  CLI::App* follow_command = options.add_subcommand("follow", "print notifications as they come");
  follow_command->add_option("--events", events, "end after so many")->capture_default_str();

  std::string who;
  std::string reason;
  CLI::App* throttle = options.add_subcommand("throttle", "what may be sent now, and why not more");
  CLI::App* acknowledge = throttle->add_subcommand("acknowledge", "agree that sending goes on");
  acknowledge->add_option("who", who, "your name")->required();
  acknowledge->add_option("reason", reason, "at least 10 characters")->required();

  CLI::App* optout = options.add_subcommand("optout", "customers who want no messages");
  CLI::App* optout_add = optout->add_subcommand("add");
  CLI::App* optout_remove = optout->add_subcommand("remove");
  for (CLI::App* change : {optout_add, optout_remove}) {
    change->add_option("chat", chat, "number or chatId")->required();
    change->add_option("who", who, "your name")->required();
    change->add_option("reason", reason)->required();
  }

  const CareCommands care(options);

  CLI11_PARSE(options, argc, argv);
  curl_global_init(CURL_GLOBAL_ALL);
  Access access = given;
  if (given.url.empty()) {
    auto read = read_access(access_file);
    if (!read) {
      std::fprintf(stderr, "posthornctl: %s\n", read.error().detail.c_str());
      return 1;
    }
    access = std::move(*read);
  }
  const Client client(access, ca_file);
  if (const auto cared = care.run(client)) return *cared;
  if (status->parsed()) return show_status(client, as_json);
  if (pair_command->parsed() && !phone.empty()) return pair_by_code(client, phone);
  if (pair_command->parsed())
    return pair(client, as_text ? PairBy::text : PairBy::qr, wait_seconds);
  if (send->parsed()) return send_text(client, chat, text);
  if (queue->parsed()) return show_queue(client);
  if (follow_command->parsed()) return follow(client, events);
  if (acknowledge->parsed()) return acknowledge_throttle(client, who, reason);
  if (throttle->parsed()) return show_throttle(client);
  if (optout_add->parsed()) return change_opt_out(client, true, chat, who, reason);
  if (optout_remove->parsed()) return change_opt_out(client, false, chat, who, reason);
  if (optout->parsed()) return list_opt_outs(client);
  return 2;
}

}  // namespace
}  // namespace posthorn::ctl

// What CLI11 throws here are mistakes in the lines that declare options: the first start shows
// them. NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) { return posthorn::ctl::main_with(argc, argv); }
