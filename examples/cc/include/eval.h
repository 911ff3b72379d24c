#ifndef EVAL_H
#define EVAL_H

#include "expr.h"

#define EVAL_MAX_DEPTH 100

#ifdef __cplusplus
extern "C" {
#endif

/* Computes a value; returns a message if there is none. */
const char *eval(const struct expr *expr, long *value);

#ifdef __cplusplus
}
#endif

#endif
