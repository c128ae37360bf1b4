#include "system/request.h"

#include <gtest/gtest.h>

#include "support/folder.h"

namespace posthorn::system_side {
namespace {

namespace fs = std::filesystem;

class Request : public testing::Test {
 protected:
  Request() {
    for (const char* name : {"requests", "state", "run"}) fs::create_directory(folder.path / name);
  }
  Result<std::vector<std::string>> answer() {
    return carry_out(
        {folder.at("requests"), folder.at("state"), folder.at("run")},
        [this](const std::vector<std::string>& command, std::string& said) {
          std::string line;
          for (const std::string& part : command) line += part + " ";
          commands.push_back(line);
          said = rauc_says;
          if (line == failing) return 1;
          return command.front() == "rauc" ? rauc_status : 0;
        },
        [this] {
          ++waited;
          if (on_wait) on_wait(waited);
        });
  }
  [[nodiscard]] bool folder_is_empty() const { return fs::is_empty(folder.path / "requests"); }

  test::Folder folder;
  std::vector<std::string> commands;
  std::string failing;
  int waited = 0;
  std::function<void(int)> on_wait;
  int rauc_status = 0;
  std::string rauc_says;
};

TEST_F(Request, AnUpdateIsInstalledAndTheBoxRestarted) {
  folder.put("requests/update.raucb", "bundle");
  ASSERT_TRUE(answer().has_value());
  ASSERT_EQ(commands.size(), 2U);
  EXPECT_EQ(commands[0], "rauc install " + folder.at("requests") + "/update.installing ");
  EXPECT_EQ(commands[1], "systemctl --no-block reboot ");
  EXPECT_TRUE(folder_is_empty());
  EXPECT_EQ(folder.get("run/update-status.json").substr(0, 10), "{\"detail\":");
  EXPECT_NE(folder.get("run/update-status.json").find("\"state\":\"installed\""),
            std::string::npos);
  EXPECT_EQ(folder.get("state/update-status.json"), folder.get("run/update-status.json"));
}

TEST_F(Request, ARefusedUpdateIsToldInRaucsWordsAndNothingRestarts) {
  folder.put("requests/update.raucb", "bundle");
  rauc_status = 1;
  rauc_says = "signature verification failed";
  ASSERT_TRUE(answer().has_value());
  EXPECT_EQ(commands.size(), 1U);
  EXPECT_TRUE(folder_is_empty());
  EXPECT_NE(folder.get("run/update-status.json")
                .find("\"signature verification failed\",\"state\":\"failed\""),
            std::string::npos);
}

TEST_F(Request, AnUpdateThatAPowerCutInterruptedIsNotTriedForEver) {
  folder.put("requests/update.installing", "bundle");
  ASSERT_TRUE(answer().has_value());
  EXPECT_TRUE(commands.empty());
  EXPECT_TRUE(folder_is_empty());
  EXPECT_NE(folder.get("run/update-status.json").find("the power went"), std::string::npos);
}

TEST_F(Request, ALinkIsNoUpdate) {
  fs::create_symlink("/etc/passwd", folder.path / "requests/update.raucb");
  ASSERT_TRUE(answer().has_value());
  EXPECT_TRUE(commands.empty());
  EXPECT_TRUE(folder_is_empty());
}

TEST_F(Request, TheFolderItselfMustNotBeALink) {
  fs::remove(folder.path / "requests");
  folder.put("elsewhere/reboot", "");
  fs::create_symlink(folder.path / "elsewhere", folder.path / "requests");
  EXPECT_EQ(answer().error().code, Errc::io);
  EXPECT_TRUE(folder.has("elsewhere/reboot"));
  EXPECT_TRUE(commands.empty());
}

TEST_F(Request, ANetworkResetForgetsTheNetworkAloneAndRestarts) {
  folder.put("state/reached", "ipv4 answered\n");
  folder.put("state/settings.txt", "host_name = till\naddress = 10.0.0.9/24\n");
  folder.put("requests/network-reset", "");
  ASSERT_TRUE(answer().has_value());
  EXPECT_EQ(folder.get("state/settings.txt").find("10.0.0.9"), std::string::npos);
  EXPECT_NE(folder.get("state/settings.txt").find("till"), std::string::npos);
  EXPECT_EQ(commands, (std::vector<std::string>{"systemctl --no-block reboot "}));
  EXPECT_FALSE(fs::exists(folder.path / "state/reached")) << "the next network is another one";
}

TEST_F(Request, AResetForgetsAllKeptSettings) {
  for (const char* what : {"reset-settings", "reset-everything"}) {
    folder.put("state/settings.txt", "host_name = till\n");
    folder.put(std::string("requests/") + what, "");
    ASSERT_TRUE(answer().has_value());
    EXPECT_EQ(folder.get("state/settings.txt").find("till"), std::string::npos);
    EXPECT_EQ(commands.size(), 1U);
    commands.clear();
  }
}

TEST_F(Request, WhereNothingWasKeptAResetDoesNotRestartTheComputer) {
  folder.put("requests/reset-everything", "");
  folder.put("requests/network-reset", "");
  ASSERT_TRUE(answer().has_value());
  EXPECT_TRUE(commands.empty());
  EXPECT_TRUE(folder_is_empty());
}

TEST_F(Request, FilesThatAreNoRequestGo) {
  folder.put("requests/../requests/rm -rf", "x");
  fs::create_directory(folder.path / "requests/folder");
  folder.put("requests/reboot", "content is never looked at");
  ASSERT_TRUE(answer().has_value());
  EXPECT_TRUE(folder_is_empty());
  EXPECT_EQ(commands, (std::vector<std::string>{"systemctl --no-block reboot "}));
}

/// Whatever stays in the folder starts us again, without end.
TEST_F(Request, FoldersGoHoweverDeepAndFull) {
  fs::path deep = folder.path / "requests" / "update.raucb";
  for (int depth = 0; depth < 300; ++depth) {
    deep /= "d";
    fs::create_directories(deep);
  }
  folder.put("requests/update.raucb/d/d/file", "x");
  folder.put("requests/update.raucb/d/d/.lifted-1/file", "x");
  folder.put("requests/reboot-not/.hidden/file", "x");
  folder.put("elsewhere/kept", "x");
  fs::create_directory_symlink(folder.path / "elsewhere",
                               folder.path / "requests/update.raucb/d/link");
  fs::create_directory_symlink(folder.path / "elsewhere", folder.path / "requests/link");
  ASSERT_TRUE(answer().has_value());
  EXPECT_TRUE(folder_is_empty());
  EXPECT_TRUE(folder.has("elsewhere/kept"));
  EXPECT_TRUE(commands.empty());
}

TEST_F(Request, AFolderWithTheNameOfARequestIsNotARequest) {
  folder.put("requests/reset-everything/file", "x");
  folder.put("state/settings.txt", "host_name = till\n");
  ASSERT_TRUE(answer().has_value());
  EXPECT_TRUE(folder_is_empty());
  EXPECT_EQ(folder.get("state/settings.txt"), "host_name = till\n");
}

constexpr const char* kReload =
    "busctl call org.freedesktop.network1 /org/freedesktop/network1 "
    "org.freedesktop.network1.Manager Reload ";

/// A box whose network is ours to set, with a change asked for.
class NetworkChange : public Request {
 protected:
  NetworkChange() {
    folder.put("run/network.json", R"({"settings":{},"onCard":["dns"]})");
    folder.put("state/settings.txt", "host_name = till\n");
  }
  void ask(const std::string& text) { folder.put("requests/network-change", text); }
  [[nodiscard]] std::string status() const { return folder.get("run/network-status.json"); }
  /// Without the note on top.
  [[nodiscard]] std::string kept() const {
    const std::string text = folder.get("state/settings.txt");
    return text.starts_with("#") ? text.substr(text.find('\n') + 1) : text;
  }
  static constexpr const char* kFixed = "address = 192.168.1.20/24\ngateway = 192.168.1.1\n";
};

TEST_F(NetworkChange, IsAppliedAndKeptWhenSomebodyConfirms) {
  ask(kFixed);
  on_wait = [this](int second) {
    EXPECT_NE(kept().find("192.168.1.20"), std::string::npos);
    EXPECT_NE(status().find("\"waiting\""), std::string::npos);
    EXPECT_TRUE(folder.has("state/settings.before"));
    if (second == 3) folder.put("requests/network-confirm", "");
  };
  ASSERT_TRUE(answer().has_value());
  EXPECT_EQ(waited, 3);
  EXPECT_EQ(commands,
            (std::vector<std::string>{"systemctl restart posthorn-setup.service ", kReload,
                                      "systemctl try-restart systemd-timesyncd.service "}));
  EXPECT_NE(status().find("\"kept\""), std::string::npos);
  EXPECT_NE(kept().find("address = 192.168.1.20/24"), std::string::npos);
  EXPECT_NE(kept().find("host_name = till"), std::string::npos);
  EXPECT_FALSE(folder.has("state/settings.before"));
  EXPECT_FALSE(folder.has("run/network-trial"));
  EXPECT_TRUE(folder_is_empty());
}

TEST_F(NetworkChange, GoesBackWhenNobodyDoes) {
  ask(kFixed);
  ASSERT_TRUE(answer().has_value());
  EXPECT_EQ(waited, 90);
  EXPECT_EQ(kept(), "host_name = till\n");
  EXPECT_EQ(commands.size(), 6U);
  EXPECT_NE(status().find("\"back\""), std::string::npos);
  EXPECT_NE(status().find("nobody confirmed"), std::string::npos);
  EXPECT_FALSE(folder.has("state/settings.before"));
}

TEST_F(NetworkChange, GoesBackAtOnceWhenTheSystemDoesNotTakeItOrSomethingElseIsAskedFor) {
  ask(kFixed);
  failing = kReload;
  ASSERT_TRUE(answer().has_value());
  EXPECT_EQ(waited, 0);
  EXPECT_EQ(kept(), "host_name = till\n");
  failing.clear();
  ask(kFixed);
  on_wait = [this](int) { folder.put("requests/network-reset", ""); };
  ASSERT_TRUE(answer().has_value());
  EXPECT_EQ(waited, 1);
  EXPECT_EQ(kept(), "host_name = till\n");
  EXPECT_TRUE(folder_is_empty());
}

TEST_F(NetworkChange, AWordFromBeforeConfirmsNothing) {
  folder.put("requests/network-confirm", "");
  ask(kFixed);
  ASSERT_TRUE(answer().has_value());
  EXPECT_EQ(waited, 90);
  EXPECT_EQ(kept(), "host_name = till\n");
}

TEST_F(NetworkChange, OnlyWhatIsRightAndOursIsTaken) {
  for (const std::string& text :
       {std::string("host_name = other\n"), std::string("care_token = none\n"),
        std::string("proxy = none\n"), std::string("wifi_name = Shop\n"),
        std::string("address = 192.168.1.300/24\n"), std::string("address = 192.168.1.20/24\n"),
        std::string("address = 192.168.1.20/24\ngateway = 10.0.0.1\n"),
        std::string("dns = 9.9.9.9\n"), std::string("gateway = 192.168.1.1\n"),
        std::string("nonsense\n"), std::string(5000, 'x')}) {
    ask(text);
    ASSERT_TRUE(answer().has_value());
    EXPECT_TRUE(commands.empty()) << text;
    EXPECT_NE(status().find("\"refused\""), std::string::npos) << text << status();
    EXPECT_EQ(kept(), "host_name = till\n") << text;
    EXPECT_TRUE(folder_is_empty());
  }
}

TEST_F(NetworkChange, SomebodysOwnComputerIsNotTouched) {
  fs::remove(folder.path / "run/network.json");
  ask(kFixed);
  ASSERT_TRUE(answer().has_value());
  EXPECT_TRUE(commands.empty());
  EXPECT_NE(status().find("set by the operating system"), std::string::npos);
}

TEST_F(NetworkChange, ALinkIsNoChange) {
  folder.put("elsewhere", kFixed);
  fs::create_symlink(folder.path / "elsewhere", folder.path / "requests/network-change");
  ASSERT_TRUE(answer().has_value());
  EXPECT_TRUE(commands.empty());
  EXPECT_FALSE(folder.has("run/network-status.json"));
  EXPECT_TRUE(folder_is_empty());
}

}  // namespace
}  // namespace posthorn::system_side
