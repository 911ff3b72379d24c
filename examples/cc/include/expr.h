#ifndef EXPR_H
#define EXPR_H

#ifdef __cplusplus
extern "C" {
#endif

/* A number, or two operands and what stands between them. */
struct expr {
  char op; /* '#' for a number */
  long number;
  struct expr *left, *right;
};

/* Parses an expression; null if it is none. */
struct expr *expr_parse(const char *text);

void expr_free(struct expr *expr);

#ifdef __cplusplus
}
#endif

#endif
