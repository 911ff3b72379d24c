#ifndef TALLY_H
#define TALLY_H

#include <stddef.h>
#include <stdint.h>

/* Counts how often each byte value occurs; counts has 256 elements. */
void tally_bytes(const uint8_t *bytes, size_t length, uint64_t *counts);

/* Version of the library, as major * 10000 + minor * 100 + patch. */
uint32_t tally_version(void);

#endif
