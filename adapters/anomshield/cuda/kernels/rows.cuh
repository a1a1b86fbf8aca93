// VEC neighbouring values of a row at once: one load or store where every row is aligned to it; VEC 1 takes any row.
#pragma once

struct alignas(sizeof(element) * VEC) Pack {
    element values[VEC];
};

static __device__ __forceinline__ void load_pack(float (&values)[VEC], const element* from) {
    const Pack pack = *reinterpret_cast<const Pack*>(from);
#pragma unroll
    for (int v = 0; v < VEC; ++v) values[v] = to_float(pack.values[v]);
}

static __device__ __forceinline__ void store_pack(element* to, const float (&values)[VEC]) {
    Pack pack;
#pragma unroll
    for (int v = 0; v < VEC; ++v) pack.values[v] = from_float(values[v]);
    *reinterpret_cast<Pack*>(to) = pack;
}
