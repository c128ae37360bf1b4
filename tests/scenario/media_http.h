#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "posthorn/net/http_client.h"
#include "posthorn/simulator/simulator.h"

namespace posthorn::scenario {

/// The HTTP that a box reaches in these tests: the simulator's media host, pages that a test puts
/// there, and nobody else.
class MediaHttp final : public net::HttpClient {
 public:
  MediaHttp(Scheduler& scheduler, simulator::Simulator& world)
      : scheduler_(scheduler), world_(world) {}

  void send(net::HttpRequest request, Once<void(Result<net::HttpResponse>)> done) override;

  struct Page {
    int status = 200;
    std::string body;
    std::string type;
  };
  std::map<std::string, Page> pages;       ///< by URL
  std::set<std::string> never;             ///< URLs that never answer
  std::vector<net::HttpRequest> requests;  ///< as they were asked
  bool down = false;                       ///< no host answers
  std::vector<std::string> asked;          ///< method and path, without query

 private:
  struct Transfer;
  void pump(const std::shared_ptr<Transfer>& transfer);
  void wait(const std::shared_ptr<Transfer>& transfer);
  void answer(const std::shared_ptr<Transfer>& transfer);
  void deliver(const std::shared_ptr<Transfer>& transfer);

  Scheduler& scheduler_;
  simulator::Simulator& world_;
};

}  // namespace posthorn::scenario
