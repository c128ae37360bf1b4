#pragma once

#include <string>

#include "posthorn/api/http.h"

namespace posthorn::rescue {

/// Answers every request with 503, and with what is wrong and what to do: tills in the API's error
/// form, browsers (the root page) in HTML. Nothing is accepted, so nothing can be lost.
class RescuePage final : public api::RequestHandler {
 public:
  /// reason: one sentence without its end, "it is not on the card".
  explicit RescuePage(std::string reason) : reason_(std::move(reason)) {}

  /// No body is worth keeping.
  [[nodiscard]] std::size_t body_limit(const api::Request& head) const override;
  void handle(api::Request request, api::Reply reply) override;

 private:
  [[nodiscard]] api::Response page() const;
  [[nodiscard]] api::Response error(const std::string& path) const;

  std::string reason_;
};

}  // namespace posthorn::rescue
