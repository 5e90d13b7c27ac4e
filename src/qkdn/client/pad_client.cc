// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ssn/pad_client.h"

#include <sys/un.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>

#include "qkdn/client/connection.h"
#include "qkdn/client/fork_mark.h"
#include "qkdn/client/refusal.h"
#include "qkdn/client/sealed.h"
#include "qkdn/client/stream.h"
#include "qkdn/protocol/byte_codec.h"

namespace ssn {
namespace {

using qkdn::client::After;
using qkdn::client::Clock;
using qkdn::client::Connection;
using qkdn::client::ConnectionPtr;
using qkdn::client::Deadline;
using qkdn::client::ProcessMark;
using qkdn::client::Stream;
using std::chrono::milliseconds;
namespace north = qkdn::north;

constexpr std::uint64_t kFirstChunk = 4096;
constexpr std::size_t kMinWindowBytes = 65536;
constexpr std::size_t kMaxWindowBytes = std::size_t{1} << 40;
constexpr milliseconds kMaxConnectTimeout = std::chrono::minutes(1);

Status CheckOptions(const PadClient::Options& options) {
  const auto wrong = [](const std::string& what) { return Status::InvalidArgument("pad client: " + what); };
  if (options.socket_path.empty() || options.socket_path[0] != '/' ||
      options.socket_path.size() >= sizeof(sockaddr_un::sun_path) ||
      options.socket_path.find('\0') != std::string::npos)
    return wrong("socket_path=" + options.socket_path + " is not an absolute path of at most " +
                 std::to_string(sizeof(sockaddr_un::sun_path) - 1) + " bytes");
  if (options.program.empty() || options.program.size() > north::kMaxNameBytes ||
      !qkdn::IsPrintable(options.program))
    return wrong("program=" + options.program + " is not 1 to 32 bytes of printable ASCII");
  if (options.window_bytes < kMinWindowBytes || options.window_bytes > kMaxWindowBytes)
    return wrong("window_bytes=" + std::to_string(options.window_bytes) + " is outside " +
                 std::to_string(kMinWindowBytes) + ".." + std::to_string(kMaxWindowBytes));
  if (options.connect_timeout <= milliseconds(0) || options.connect_timeout > kMaxConnectTimeout)
    return wrong("connect_timeout=" + std::to_string(options.connect_timeout.count()) + " ms is outside 1.." +
                 std::to_string(kMaxConnectTimeout.count()));
  if (options.dry_wait < milliseconds(0) || options.dry_wait > milliseconds(north::kMaxWaitMs))
    return wrong("dry_wait=" + std::to_string(options.dry_wait.count()) + " ms is outside 0.." +
                 std::to_string(north::kMaxWaitMs));
  return {};
}

class Client final : public PadClient {
 public:
  explicit Client(Options options) : options_(std::move(options)) {}
  ~Client() override {
    if (State* state = state_.load(); state->mark == ProcessMark()) delete state;
  }

  Result<Node> Self() override {
    const auto connection = Connect(After(options_.connect_timeout));
    if (!connection.ok()) return connection.status();
    return connection.value()->node();
  }

  Result<std::unique_ptr<PadStream>> Open(const StreamId& id, NodeId peer, PadDirection direction,
                                          std::size_t reserve, milliseconds wait) override {
    const Deadline deadline = After(wait);
    if (direction == PadDirection::kReceive && reserve != 0)
      return Status::InvalidArgument("pad stream: reserve=" + std::to_string(reserve) +
                                     " on a stream to receive, which takes 0");
    const auto connection = Connect(deadline);
    if (!connection.ok()) return connection.status();
    Stream::Plan plan{.id = id, .peer = peer, .direction = direction, .need = reserve};
    if (reserve > 0) plan.want = std::max<std::uint64_t>(reserve, kFirstChunk);
    auto stream = Stream::Open(connection.value(), plan, deadline);
    if (!stream.ok()) return stream.status();
    return std::unique_ptr<PadStream>(std::move(stream).value());
  }

  Result<std::vector<std::uint8_t>> Seal(NodeId peer, ByteSpan context, ByteSpan plaintext,
                                         milliseconds wait) override {
    const Deadline deadline = After(wait);
    const auto connection = Connect(deadline);
    if (!connection.ok()) return connection.status();
    return SealFor(connection.value(), peer, context, plaintext, deadline);
  }

  Result<SecretBytes> Unseal(ByteSpan envelope, ByteSpan context, milliseconds wait, NodeId* from) override {
    const Deadline deadline = After(wait);
    const auto connection = Connect(deadline);
    if (!connection.ok()) return connection.status();
    return UnsealFrom(connection.value(), envelope, context, deadline, from);
  }

  Result<SecretBytes> SharedPad(NodeId peer, const StreamId& label, std::size_t bytes,
                                milliseconds wait) override {
    const Deadline deadline = After(wait);
    const auto connection = Connect(deadline);
    if (!connection.ok()) return connection.status();
    return TakeSharedPad(connection.value(), peer, label, bytes, deadline);
  }

  Status Attach(const StreamId& id, milliseconds wait) override {
    const auto answer = Ask(north::Attach{0, id}, "attach to the pad proxy", After(wait));
    return answer.ok() ? Status() : answer.status();
  }

  void Detach(const StreamId& id) noexcept override {
    State* const state = state_.load();
    if (state->mark != ProcessMark()) return;
    ConnectionPtr connection;
    {
      const std::lock_guard lock(state->mutex);
      connection = state->connection;
    }
    if (connection == nullptr) return;
    auto lock = connection->Hold();
    connection->Detach(lock, id);
  }

  Result<bool> IsAttached(const StreamId& id, milliseconds wait) override {
    north::Refusal reason{};
    const auto answer = Ask(north::Find{0, id}, "question to the pad proxy", After(wait), &reason);
    if (answer.ok()) return true;
    if (reason == north::Refusal::kNoSuchStream) return false;
    return answer.status();
  }

  Result<std::string> ProxyStatus(milliseconds wait) override {
    return Ask(north::GetStatus{}, "status of the pad proxy", After(wait));
  }

 private:
  // Of one process; left behind as it is by its children.
  struct State {
    const std::uint64_t mark = ProcessMark();
    std::mutex mutex;
    std::condition_variable changed;
    bool connecting = false;
    ConnectionPtr connection;
  };

  // While one exists, the other threads wait for what comes of it.
  struct Connecting {
    State& state;
    ~Connecting() {
      {
        const std::lock_guard lock(state.mutex);
        state.connecting = false;
      }
      state.changed.notify_all();
    }
  };

  // The text of the answer. `reason` is set if the proxy refused.
  template <typename Question>
  Result<std::string> Ask(const Question& question, const char* what, Deadline deadline,
                          north::Refusal* reason = nullptr) {
    const auto connected = Connect(deadline);
    if (!connected.ok()) return connected.status();
    Connection& connection = *connected.value();
    qkdn::client::Request request;
    auto lock = connection.Hold();
    connection.Ask(lock, question, deadline, request);
    if (request.state == qkdn::client::Request::State::kDone) return request.text;
    if (request.state == qkdn::client::Request::State::kRefused) {
      if (reason != nullptr) *reason = request.reason;
      return qkdn::client::ToStatus(request.reason, what, request.text);
    }
    if (connection.lost()) return connection.LostStatus(lock);
    return Status::Unavailable(std::string(what) + ": no answer in time");
  }

  State& Here() {
    State* state = state_.load();
    if (state->mark == ProcessMark()) return *state;
    State* fresh = new State;
    if (state_.compare_exchange_strong(state, fresh)) return *fresh;
    delete fresh;
    return *state;
  }

  // The connection there is, or a new one. One thread connects, the others wait for it.
  Result<ConnectionPtr> Connect(Deadline deadline) {
    State& state = Here();
    std::unique_lock lock(state.mutex);
    while (state.connecting)
      if (state.changed.wait_until(lock, deadline) == std::cv_status::timeout && state.connecting)
        return Status::Unavailable("pad proxy: not connected in time");
    if (state.connection != nullptr) {
      auto hold = state.connection->Hold();
      state.connection->Drain(hold);  // has it ended since the last call?
      if (!state.connection->lost()) return state.connection;
    }
    const ConnectionPtr lost = std::exchange(state.connection, nullptr);  // released without the lock
    state.connecting = true;
    lock.unlock();
    const Connecting turn{state};
    auto made = Connection::Make(options_, std::min(deadline, After(options_.connect_timeout)));
    lock.lock();
    if (made.ok()) state.connection = made.value();
    lock.unlock();
    return made;
  }

  const Options options_;
  std::atomic<State*> state_ = new State;
};

}  // namespace

Result<std::shared_ptr<PadClient>> PadClient::Make(Options options) {
  if (Status status = CheckOptions(options); !status.ok()) return status;
  return std::shared_ptr<PadClient>(std::make_shared<Client>(std::move(options)));
}

}  // namespace ssn
