// A board with a UART in simulation, behind a pseudo-terminal: a host opens it like a serial port.
//
//   serial CLOCKS_PER_BIT
//
// Prints the name of the terminal, and runs until its standard input ends. A byte that the host
// writes takes its ten bits on the line; so nothing is faster than on a board, clock for clock.
// Lines on the standard input:
//   reset             the board loses its power for a moment
//   press, release    its reset button
//   pins              prints what happened since it has power: clocks, shortest level of its line,
//                     and for each change of its other pins the clock and their levels
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "Vserial_bench.h"

namespace {

constexpr int CLOCKS_AT_ONCE = 2000;  // before anyone looks at the terminal again
constexpr int IDLE_CLOCKS = 200000;   // without a byte either way: time may pass more slowly

[[noreturn]] void fail(const char* message) {
    std::perror(message);
    std::exit(2);
}

// Sends bytes over a line: a start bit, eight bits from the lowest, a stop bit.
class Sender {
  public:
    explicit Sender(double clocks) : clocks_(clocks) {}

    bool idle() const { return !active_; }

    void send(uint8_t byte) {
        frame_ = 0x200u | uint32_t(byte) << 1;
        time_ = 0;
        active_ = true;
    }

    bool clock() {
        if (!active_) return true;
        const bool level = frame_ >> int(time_ / clocks_) & 1;
        active_ = ++time_ < 10 * clocks_;
        return level;
    }

  private:
    double clocks_;
    double time_ = 0;
    uint32_t frame_ = 0;
    bool active_ = false;
};

// Receives bytes: looks at the middle of each bit.
class Receiver {
  public:
    explicit Receiver(double clocks) : clocks_(clocks) {}

    // Returns a byte, or -1.
    int clock(bool level) {
        if (bit_ < 0) {
            if (level) return -1;
            bit_ = 0;
            until_ = clocks_ / 2;
            value_ = 0;
        }
        if (--until_ > 0) return -1;
        until_ += clocks_;
        if (bit_ == 0 && level) bit_ = -1;
        else if (bit_ >= 1 && bit_ <= 8) value_ |= uint32_t(level) << (bit_ - 1);
        else if (bit_ == 9) {
            bit_ = -1;
            return int(value_);
        }
        if (bit_ >= 0) ++bit_;
        return -1;
    }

  private:
    double clocks_;
    double until_ = 0;
    int bit_ = -1;
    uint32_t value_ = 0;
};

int open_terminal() {
    const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    if (terminal < 0 || grantpt(terminal) || unlockpt(terminal)) fail("no pseudo-terminal");
    // Opened once by ourselves, so that it stays when a host closes it; every byte as it is.
    const int other = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    termios mode;
    if (other < 0 || tcgetattr(other, &mode)) fail("no pseudo-terminal");
    cfmakeraw(&mode);
    tcsetattr(other, TCSANOW, &mode);
    fcntl(terminal, F_SETFL, O_NONBLOCK);
    std::cout << ptsname(terminal) << std::endl;
    return terminal;
}

// The design since it has power: configuration gives every register its first value.
struct Design {
    VerilatedContext context;
    Vserial_bench top{&context};
    uint64_t clocks = 0, line_changed = 0, shortest = 0;
    bool line = true;
    std::vector<std::pair<uint64_t, uint32_t>> pins;

    Design(bool rx, bool pressed) {
        top.rx = rx;
        top.pressed = pressed;
        top.clk = 0;
        top.eval();
        watch();
    }

    void clock() {
        top.clk = 1;
        top.eval();
        top.clk = 0;
        top.eval();
        ++clocks;
        watch();
    }

    void print() const {
        std::cout << clocks << ' ' << shortest;
        for (const auto& [at, levels] : pins) std::cout << ' ' << at << ' ' << levels;
        std::cout << std::endl;
    }

  private:
    void watch() {
        if (pins.empty() || pins.back().second != top.pins) pins.emplace_back(clocks, top.pins);
        if (bool(top.tx) == line) return;
        line = top.tx;
        if (line_changed && (!shortest || clocks - line_changed < shortest))
            shortest = clocks - line_changed;
        line_changed = clocks;
    }
};

class Board {
  public:
    Board(double clocks, int terminal) : terminal_(terminal), sender_(clocks), receiver_(clocks) {
        reset();
    }

    void reset() { design_ = std::make_unique<Design>(true, pressed_); }

    void press(bool pressed) { design_->top.pressed = pressed_ = pressed; }

    void print() const { design_->print(); }

    // Runs some clocks; returns whether a byte moved.
    bool run() {
        bool moved = false;
        for (int n = 0; n < CLOCKS_AT_ONCE; ++n) {
            if (sender_.idle() && fetch()) {
                sender_.send(uint8_t(buffer_[position_++]));
                moved = true;
            }
            design_->top.rx = sender_.clock();
            design_->clock();
            const int byte = receiver_.clock(design_->top.tx);
            if (byte >= 0) {
                const uint8_t text = uint8_t(byte);
                if (write(terminal_, &text, 1) != 1) fail("the terminal takes nothing");
                moved = true;
            }
        }
        if (design_->context.gotFinish()) std::exit(2);  // a model said why
        return moved || !sender_.idle();
    }

  private:
    std::unique_ptr<Design> design_;
    bool pressed_ = false;
    int terminal_;
    Sender sender_;
    Receiver receiver_;
    char buffer_[4096];
    ssize_t count_ = 0, position_ = 0;
    int quiet_ = 0;

    bool fetch() {
        if (position_ < count_) return true;
        if (quiet_-- > 0) return false;
        quiet_ = 100;  // a system call a clock would take all the time
        position_ = 0;
        count_ = read(terminal_, buffer_, sizeof buffer_);
        if (count_ <= 0) return count_ = 0;
        quiet_ = 0;
        return true;
    }
};

}  // namespace

int main(int count, char** arguments) {
    if (count != 2) {
        std::fprintf(stderr, "usage: serial CLOCKS_PER_BIT\n");
        return 2;
    }
    Board board(std::atof(arguments[1]), open_terminal());
    std::string commands;
    int idle = 0;
    for (;;) {
        idle = board.run() ? 0 : idle + CLOCKS_AT_ONCE;
        pollfd input{STDIN_FILENO, POLLIN, 0};
        if (poll(&input, 1, idle > IDLE_CLOCKS ? 1 : 0) <= 0) continue;
        char text[256];
        const ssize_t length = read(STDIN_FILENO, text, sizeof text);
        if (length <= 0) return 0;
        commands.append(text, size_t(length));
        for (size_t end; (end = commands.find('\n')) != std::string::npos;) {
            const std::string command = commands.substr(0, end);
            if (command == "reset") board.reset();
            if (command == "press" || command == "release") board.press(command == "press");
            if (command == "pins") board.print();
            commands.erase(0, end + 1);
        }
    }
}
