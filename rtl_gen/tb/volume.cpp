// Runs jobs through a compute unit, clock by clock, without any Python in between: program, input
// vectors, results, and a look at the clip counters. For volume; volume.py builds and calls it.
//
// Reads program.hex and inputs.hex of the working folder, and jobs as lines of numbers from the
// standard input: first planes and settling clocks of the clip counters, then for each job
//   program words, input beats, result beats, stalls in 256 clocks, seed, most clocks.
// Writes results.hex, and to the standard output for each job
//   what stopped it, measured clocks, and the clip counter of each plane.
// Clocks are counted as in bench.v: from the first input beat to the last result beat, both
// included. Streams that stall do so in the same clocks as there.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <string>
#include <vector>

#include "Vsme_compute_unit.h"

namespace {

constexpr int RESET_CLOCKS = 3;

[[noreturn]] void fail(const std::string& message) {
    std::fprintf(stderr, "error: %s\n", message.c_str());
    std::exit(2);
}

// Ports of up to 64 bits are integers in Verilator, wider ones arrays of 32-bit words.

template <class T>
constexpr size_t words_of(const T&) {
    return sizeof(T) <= sizeof(uint32_t) ? 1 : sizeof(T) / sizeof(uint32_t);
}

template <class T>
void set_words(T& port, const uint32_t* words) {
    uint64_t value = words[0];
    if (words_of(port) == 2) value |= uint64_t(words[1]) << 32;
    port = static_cast<T>(value);
}

template <size_t N>
void set_words(VlWide<N>& port, const uint32_t* words) {
    for (size_t w = 0; w < N; ++w) port[w] = words[w];
}

template <class T>
void append_words(std::vector<uint32_t>& words, const T& port) {
    words.push_back(static_cast<uint32_t>(port));
    if (words_of(port) == 2) words.push_back(static_cast<uint32_t>(uint64_t(port) >> 32));
}

template <size_t N>
void append_words(std::vector<uint32_t>& words, const VlWide<N>& port) {
    for (size_t w = 0; w < N; ++w) words.push_back(port[w]);
}

std::vector<uint32_t> read_words(const char* name) {
    std::FILE* file = std::fopen(name, "rb");
    if (!file) fail(std::string(name) + " cannot be read");
    std::vector<char> text;
    char buffer[1 << 16];
    while (const size_t count = std::fread(buffer, 1, sizeof buffer, file))
        text.insert(text.end(), buffer, buffer + count);
    std::fclose(file);
    text.push_back('\0');
    std::vector<uint32_t> words;
    words.reserve(text.size() / 9);
    for (const char* at = text.data();;) {
        char* end;
        const unsigned long word = std::strtoul(at, &end, 16);
        if (end == at) return words;
        words.push_back(static_cast<uint32_t>(word));
        at = end;
    }
}

void write_words(const char* name, const std::vector<uint32_t>& words) {
    std::FILE* file = std::fopen(name, "w");
    bool good = file != nullptr;
    for (const uint32_t word : words) good = good && std::fprintf(file, "%08x\n", word) > 0;
    good = good && std::fclose(file) == 0;
    if (!good) fail(std::string(name) + " cannot be written");
}

// Words of a file that are taken one beat after the other.
class Source {
  public:
    explicit Source(const char* name) : name_(name), words_(read_words(name)) {}

    const uint32_t* take(size_t count) {
        if (words_.size() - position_ < count) fail(std::string(name_) + " is too short");
        position_ += count;
        return words_.data() + position_ - count;
    }

  private:
    const char* name_;
    std::vector<uint32_t> words_;
    size_t position_ = 0;
};

uint32_t next_random(uint32_t x) {  // xorshift, as in bench.v
    x ^= x << 13;
    x ^= x >> 17;
    return x ^ x << 5;
}

struct Job {
    unsigned long program_words, input_beats, result_beats, stall, seed, most_clocks;
};

class Bench {
  public:
    Bench() : unit_(&context_), program_("program.hex"), inputs_("inputs.hex") { reset(); }

    // Runs a job; prints what it measured.
    void run(const Job& job, int planes, int settle_clocks) {
        const size_t program_words = job.program_words * words_of(unit_.program___05Fpayload);
        const size_t input_words = job.input_beats * words_of(unit_.i___05Fpayload);
        const size_t result_words = job.result_beats * words_of(unit_.o___05Fpayload);
        const size_t end = results_.size() + result_words;
        uint64_t cycles = 0;
        const char* stopped_by =
            stream(job, program_.take(program_words), inputs_.take(input_words), cycles);
        std::vector<uint32_t> clips;
        for (int plane = 0; plane < planes; ++plane) {
            unit_.clip_plane = plane;
            for (int n = 0; n <= settle_clocks; ++n) clock();
            clips.push_back(unit_.clips);
        }
        if (!std::strcmp(stopped_by, "nothing") && (unit_.busy || unit_.o___05Fvalid))
            stopped_by = "busy";
        if (std::strcmp(stopped_by, "nothing")) reset();
        results_.resize(end);  // Results that did not come are 0.
        std::printf("%s %llu", stopped_by, static_cast<unsigned long long>(cycles));
        for (const uint32_t count : clips) std::printf(" %u", count);
        std::printf("\n");
    }

    void write_results() const { write_words("results.hex", results_); }

  private:
    VerilatedContext context_;
    Vsme_compute_unit unit_;
    Source program_, inputs_;
    std::vector<uint32_t> results_;

    // One clock: registers take what is there, then inputs may change.
    void rise() {
        unit_.clk = 1;
        unit_.eval();
        unit_.clk = 0;
    }

    void clock() {
        rise();
        unit_.eval();
    }

    void reset() {
        unit_.program___05Fvalid = unit_.i___05Fvalid = unit_.o___05Fready = 0;
        unit_.clk = 0;
        unit_.rst = 1;
        unit_.eval();
        for (int n = 0; n < RESET_CLOCKS; ++n) clock();
        unit_.rst = 0;
        unit_.eval();
    }

    // Moves all streams of a job; returns what stopped it, and clocks from first to last beat.
    // Valid and ready come from registers, as in bench.v.
    const char* stream(
        const Job& job, const uint32_t* program, const uint32_t* inputs, uint64_t& cycles
    ) {
        auto program_left = job.program_words, inputs_left = job.input_beats;
        auto results_left = job.result_beats;
        auto random = static_cast<uint32_t>(job.seed);
        bool first_beat_sent = false;
        for (unsigned long n = 0; n < job.most_clocks; ++n) {
            const bool program_moves = unit_.program___05Fvalid && unit_.program___05Fready;
            const bool input_moves = unit_.i___05Fvalid && unit_.i___05Fready;
            const bool result_moves = unit_.o___05Fvalid && unit_.o___05Fready;
            if (result_moves) append_words(results_, unit_.o___05Fpayload);
            first_beat_sent = first_beat_sent || input_moves;
            cycles += first_beat_sent;
            const bool last = result_moves && --results_left == 0;
            rise();
            const bool program_waits = unit_.program___05Fvalid && !program_moves;
            const bool input_waits = unit_.i___05Fvalid && !input_moves;
            // Inputs follow their program.
            if (!input_waits && !program_waits && program_left == 0) {
                unit_.i___05Fvalid = inputs_left != 0 && (random >> 8 & 255) >= job.stall;
                if (unit_.i___05Fvalid) {
                    set_words(unit_.i___05Fpayload, inputs);
                    inputs += words_of(unit_.i___05Fpayload);
                    --inputs_left;
                }
            }
            if (!program_waits) {
                unit_.program___05Fvalid = program_left != 0 && (random & 255) >= job.stall;
                if (unit_.program___05Fvalid) {
                    unit_.program___05Fpayload = *program++;
                    --program_left;
                }
            }
            unit_.o___05Fready = !last && (random >> 16 & 255) >= job.stall;
            unit_.eval();
            random = next_random(random);
            if (unit_.error) return "error";
            if (last) return "nothing";
        }
        return "hang";
    }
};

}  // namespace

int main() {
    int planes, settle_clocks;
    if (std::scanf("%d %d", &planes, &settle_clocks) != 2) fail("no planes on standard input");
    std::vector<Job> jobs;
    for (Job j; std::scanf(
             "%lu %lu %lu %lu %lu %lu", &j.program_words, &j.input_beats, &j.result_beats,
             &j.stall, &j.seed, &j.most_clocks) == 6;)
        jobs.push_back(j);
    Bench bench;
    for (size_t n = 0; n < jobs.size(); ++n) {
        bench.run(jobs[n], planes, settle_clocks);
        std::fprintf(stderr, "job %zu of %zu done\n", n + 1, jobs.size());
    }
    bench.write_results();
    return 0;
}
