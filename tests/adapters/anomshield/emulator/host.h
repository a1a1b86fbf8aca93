// Runs a CUDA kernel on the CPU: blocks one after another, the threads of a block as fibers.
//
// What it is for: the unchanged .cu sources give their results without a GPU, and a missing barrier gives wrong ones. A
// fiber runs until it meets a barrier, a shuffle or its end. A warp runs as far as it can before another one starts, and
// the order of warps and lanes is drawn anew, from a seed, after every barrier: so whoever reads what another warp has
// yet to write, or overwrites what another has yet to read, does so under some seed. Shared memory is NaN when a block
// starts. Barriers and shuffles that only some threads reach are errors, not hangs.
//
// What it does not see: races between lanes within a stretch of code without any barrier, the memory model, timing.
// Approximate instructions are wrong here by as much as the hardware's may be.
#pragma once

#include <algorithm>
#include <cmath>
#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <type_traits>
#include <ucontext.h>
#include <utility>
#include <vector>

// ---- The language

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __shared__ static __attribute__((section("shared_memory"), aligned(16)))

extern "C" char __start_shared_memory[] __attribute__((weak)), __stop_shared_memory[] __attribute__((weak));

struct uint3 { unsigned x, y, z; };
struct alignas(8) float2 { float x, y; };
struct alignas(16) float4 { float x, y, z, w; };
struct alignas(8) uint2 { unsigned x, y; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
using std::max;
using std::min;

// ---- Threads

namespace emulator {

constexpr int WARP = 32;
constexpr std::size_t STACK = 256 * 1024;
constexpr std::size_t SHARED = 48 * 1024;  // what every device gives a block without being asked

enum class State { ready, at_barrier, at_exchange, done };

struct Fiber {
    uint3 index;
    State state;
    int line;           // of the barrier or exchange it waits at
    unsigned mask;      // of the exchange
    uint64_t offered;   // what it brings to the exchange
    uint64_t* gathered; // what its warp's lanes brought to the exchange that has just ended
    bool started;
    jmp_buf here;
    std::vector<char> stack;
};

struct Warp {
    std::vector<int> lanes;  // in the order in which they run
    uint64_t gathered[WARP];
};

inline std::vector<Fiber> fibers;
inline std::vector<Warp> warps;
inline Fiber* volatile current;
inline uint3 block_index, block_extent, grid_extent;
inline jmp_buf scheduler;
inline ucontext_t origin;
inline void (*body)(void*);
inline void* body_arguments;
inline std::string problem;

// Compilers must neither keep memory in registers across a switch nor think that a switch changes nothing.
__attribute__((noinline)) inline void to_scheduler() {
    Fiber* fiber = current;
    if (!_setjmp(fiber->here)) _longjmp(scheduler, 1);
    asm volatile("" ::: "memory");
}

inline void enter() {
    body(body_arguments);
    current->state = State::done;
    _longjmp(scheduler, 1);
}

// makecontext gives a fiber its stack; from then on it is left and entered by jumps, which ask nothing of the kernel.
__attribute__((noinline)) inline void resume(Fiber& fiber) {
    current = &fiber;
    if (_setjmp(scheduler)) return;
    if (fiber.started) _longjmp(fiber.here, 1);
    fiber.started = true;
    ucontext_t context;
    getcontext(&context);
    context.uc_stack.ss_sp = fiber.stack.data();
    context.uc_stack.ss_size = fiber.stack.size();
    context.uc_link = nullptr;
    makecontext(&context, enter, 0);
    setcontext(&context);
}

__attribute__((noinline)) inline void block_barrier(int line) {
    current->line = line;
    current->state = State::at_barrier;
    to_scheduler();
}

__attribute__((noinline)) inline void exchange(unsigned mask, uint64_t offered, int line) {
    Fiber* fiber = current;
    fiber->line = line;
    fiber->mask = mask;
    fiber->offered = offered;
    fiber->state = State::at_exchange;
    to_scheduler();
}

inline int lane_of(const Fiber& fiber) { return static_cast<int>(&fiber - fibers.data()) % WARP; }

template <class T>
T shuffle(unsigned mask, T value, int source, int line) {
    static_assert(sizeof(T) <= 8);
    uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof(T));
    exchange(mask, bits, line);
    std::memcpy(&value, &current->gathered[source], sizeof(T));
    return value;
}

// ---- The scheduler

inline bool fail(const char* what, const Fiber& fiber) {
    char text[200];
    std::snprintf(text, sizeof text, "%s: thread (%u, %u, %u) of block (%u, %u, %u), line %d", what, fiber.index.x,
                  fiber.index.y, fiber.index.z, block_index.x, block_index.y, block_index.z, fiber.line);
    problem = text;
    return false;
}

// Let lanes go on whose whole mask waits at the same exchange. Nobody can go on when a lane of the mask is elsewhere.
inline bool end_exchanges(Warp& warp, Fiber* first, bool& went_on) {
    went_on = false;
    unsigned waiting = 0;
    for (int lane = 0; lane < WARP; ++lane) waiting |= (first[lane].state == State::at_exchange ? 1u : 0u) << lane;
    for (int lane = 0; lane < WARP; ++lane) warp.gathered[lane] = first[lane].offered;
    for (int lane = 0; lane < WARP; ++lane) {
        Fiber& fiber = first[lane];
        if (!(waiting >> lane & 1u)) continue;
        if (!(fiber.mask >> lane & 1u)) return fail("a shuffle's mask leaves out its own lane", fiber);
        if ((fiber.mask & waiting) != fiber.mask) return fail("a shuffle that only some lanes reach", fiber);
        for (int other = 0; other < WARP; ++other) {
            if ((fiber.mask >> other & 1u) && (first[other].mask != fiber.mask || first[other].line != fiber.line))
                return fail("lanes at different shuffles", fiber);
        }
        fiber.state = State::ready;
        fiber.gathered = warp.gathered;
        went_on = true;
    }
    return true;
}

inline bool run_warp(int number) {
    Warp& warp = warps[number];
    Fiber* first = &fibers[number * WARP];
    for (bool goes_on = true; goes_on;) {
        for (int lane : warp.lanes) {
            if (first[lane].state == State::ready) resume(first[lane]);
        }
        if (!end_exchanges(warp, first, goes_on)) return false;
    }
    return true;
}

struct Random {
    uint64_t state;

    std::size_t below(std::size_t limit) {  // splitmix64
        uint64_t x = state += 0x9e3779b97f4a7c15u;
        x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
        x = (x ^ x >> 27) * 0x94d049bb133111ebu;
        return (x ^ x >> 31) % limit;
    }
    template <class T>
    void shuffle(std::vector<T>& values) {
        for (std::size_t left = values.size(); left > 1; --left) std::swap(values[left - 1], values[below(left)]);
    }
};

template <class T>
std::vector<T> in_order(std::size_t count) {
    std::vector<T> numbers(count);
    for (std::size_t i = 0; i < count; ++i) numbers[i] = static_cast<T>(i);
    return numbers;
}

inline bool run_block(Random& random) {
    if (__start_shared_memory) std::memset(__start_shared_memory, 0xff, __stop_shared_memory - __start_shared_memory);
    std::vector<int> order = in_order<int>(warps.size());
    for (Fiber& fiber : fibers) fiber.state = State::ready, fiber.started = false;
    for (;;) {
        random.shuffle(order);
        for (Warp& warp : warps) random.shuffle(warp.lanes);
        for (int number : order) {
            if (!run_warp(number)) return false;
        }
        const auto is_done = [](const Fiber& fiber) { return fiber.state == State::done; };
        if (std::all_of(fibers.begin(), fibers.end(), is_done)) return true;
        const auto waits = std::find_if_not(fibers.begin(), fibers.end(), is_done);
        for (Fiber& fiber : fibers) {
            if (is_done(fiber)) return fail("a barrier that only some threads reach", *waits);
            if (fiber.line != waits->line) return fail("threads at different barriers", fiber);
            fiber.state = State::ready;
        }
    }
}

inline bool run_grid(uint3 grid, uint3 block, unsigned seed) {
    const std::size_t threads = std::size_t(block.x) * block.y * block.z, blocks = std::size_t(grid.x) * grid.y * grid.z;
    if (threads == 0 || threads % WARP || threads > 1024 || blocks == 0) {
        problem = "a block must be 1 to 32 whole warps, and a grid not empty";
        return false;
    }
    if (__start_shared_memory && std::size_t(__stop_shared_memory - __start_shared_memory) > SHARED) {
        problem = "a block has more than 48 KiB of shared memory";
        return false;
    }
    grid_extent = grid, block_extent = block;
    fibers.resize(threads);
    warps.resize(threads / WARP);
    for (std::size_t i = 0; i < threads; ++i) {
        fibers[i].index = {unsigned(i % block.x), unsigned(i / block.x % block.y), unsigned(i / block.x / block.y)};
        fibers[i].stack.resize(STACK);
    }
    for (Warp& warp : warps) warp.lanes = in_order<int>(WARP);
    Random random = {seed};
    std::vector<std::size_t> order = in_order<std::size_t>(blocks);
    random.shuffle(order);
    for (std::size_t i : order) {
        block_index = {unsigned(i % grid.x), unsigned(i / grid.x % grid.y), unsigned(i / grid.x / grid.y)};
        if (!run_block(random)) return false;
    }
    return true;
}

// ---- From a kernel's signature: what it takes, and a call with values that lie where the driver's interface has them.

template <class T>
std::string kind() {
    if constexpr (std::is_pointer_v<T>) return "p" + std::to_string(sizeof(std::remove_pointer_t<T>)) + " ";
    return (std::is_floating_point_v<T> ? "f" : "i") + std::to_string(sizeof(T)) + " ";
}

template <class... P>
const char* signature(void (*)(P...)) {
    static const std::string text = (std::string() + ... + kind<P>());
    return text.c_str();
}

template <class... P, std::size_t... I>
void call(void (*kernel)(P...), void** values, std::index_sequence<I...>) {
    kernel(*static_cast<P*>(values[I])...);
}

template <auto kernel, class... P>
void call_kernel(void (*)(P...), void* values) {
    call(kernel, static_cast<void**>(values), std::index_sequence_for<P...>());
}

template <auto kernel>
const char* run(const unsigned* grid, const unsigned* block, unsigned seed, void** values) {
    problem.clear();
    body = [](void* arguments) { call_kernel<kernel>(kernel, arguments); };
    body_arguments = values;
    run_grid({grid[0], grid[1], grid[2]}, {block[0], block[1], block[2]}, seed);
    return problem.c_str();
}

// Up to `ulps` units in the last place too much or too little, always the same for the same value.
inline float off_by(float value, int ulps) {
    if (!std::isfinite(value) || std::fabs(value) < 1.2e-38f) return std::isfinite(value) ? 0.0f * value : value;
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    const int error = static_cast<int>((bits * 2654435761u >> 16) % unsigned(2 * ulps + 1)) - ulps;
    bits += error;
    std::memcpy(&value, &bits, 4);
    return value;
}

}  // namespace emulator

#define threadIdx (emulator::current->index)
#define blockIdx emulator::block_index
#define blockDim emulator::block_extent
#define gridDim emulator::grid_extent

#define EMULATOR_FENCE asm volatile("" ::: "memory")
#define __syncthreads() (void)({ EMULATOR_FENCE; emulator::block_barrier(__LINE__); EMULATOR_FENCE; })
#define __syncwarp(...) (void)({ EMULATOR_FENCE; emulator::exchange(0xffffffffu, 0, __LINE__); EMULATOR_FENCE; })

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32, int line = __builtin_LINE()) {
    const int lane = emulator::lane_of(*emulator::current);
    return emulator::shuffle(mask, value, lane / width * width + source % width, line);
}

template <class T>
T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32, int line = __builtin_LINE()) {
    const int lane = emulator::lane_of(*emulator::current), source = lane ^ bits;
    return emulator::shuffle(mask, value, source / width == lane / width ? source : lane, line);
}

template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = 32, int line = __builtin_LINE()) {
    const int lane = emulator::lane_of(*emulator::current), source = lane + static_cast<int>(by);
    return emulator::shuffle(mask, value, source / width == lane / width ? source : lane, line);
}

template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned by, int width = 32, int line = __builtin_LINE()) {
    const int lane = emulator::lane_of(*emulator::current), source = lane - static_cast<int>(by);
    return emulator::shuffle(mask, value, source >= lane / width * width ? source : lane, line);
}

// ---- Arithmetic: what NVRTC has built in, and the approximations that common.cuh takes from the hardware

inline float __uint_as_float(unsigned bits) { float x; std::memcpy(&x, &bits, 4); return x; }
inline unsigned __float_as_uint(float x) { unsigned bits; std::memcpy(&bits, &x, 4); return bits; }
inline float exp2_approx(float x) { return emulator::off_by(std::exp2(x), 2); }
inline float reciprocal_approx(float x) { return emulator::off_by(1.0f / x, 1); }
inline float rsqrt_approx(float x) { return emulator::off_by(static_cast<float>(1.0 / std::sqrt(double(x))), 2); }
inline float rsqrtf(float x) { return rsqrt_approx(x); }

inline float float_from_half(unsigned bits) {
    const unsigned exponent = bits >> 10 & 31u, fraction = bits & 1023u;
    float x = exponent == 31 ? (fraction ? NAN : INFINITY)
              : exponent     ? std::ldexp(1024.0f + fraction, int(exponent) - 25)
                             : std::ldexp(float(fraction), -24);
    return bits & 0x8000u ? -x : x;
}

inline unsigned half_from_float(float x) {
    const unsigned sign = __float_as_uint(x) >> 16 & 0x8000u;
    const float size = std::fabs(x);
    if (x != x) return sign | 0x7e00u;
    if (size >= 65520.0f) return sign | 0x7c00u;
    const int exponent = size < 6.103515625e-05f ? -14 : std::ilogb(size);
    // nearbyint rounds ties to even; a fraction that rounds up to 2048 carries into the exponent by plain addition.
    const unsigned fraction = static_cast<unsigned>(std::nearbyint(std::ldexp(size, 10 - exponent)));
    return sign | (exponent == -14 ? fraction : (unsigned(exponent + 14) << 10) + fraction);
}
