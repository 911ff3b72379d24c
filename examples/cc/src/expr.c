#include "expr.h"

#include <ctype.h>
#include <stdlib.h>

static struct expr *sum(const char **at);

static struct expr *make(char op, long number, struct expr *left,
                         struct expr *right) {
  struct expr *made = malloc(sizeof *made);
  if (!made) abort();
  made->op = op;
  made->number = number;
  made->left = left;
  made->right = right;
  return made;
}

static char next(const char **at) {
  while (isspace((unsigned char)**at)) ++*at;
  return **at;
}

static struct expr *operand(const char **at) {
  if (next(at) == '(') {
    ++*at;
    struct expr *inner = sum(at);
    if (inner && next(at) == ')') {
      ++*at;
      return inner;
    }
    expr_free(inner);
    return 0;
  }
  char *end;
  long number = strtol(*at, &end, 10);
  if (end == *at) return 0;
  *at = end;
  return make('#', number, 0, 0);
}

/* Operands with operators between them, which bind to the left. */
static struct expr *chain(const char **at, char one, char other,
                          struct expr *(*part)(const char **)) {
  struct expr *left = part(at);
  while (left && (next(at) == one || **at == other)) {
    char op = *(*at)++;
    struct expr *right = part(at);
    if (!right) {
      expr_free(left);
      return 0;
    }
    left = make(op, 0, left, right);
  }
  return left;
}

static struct expr *product(const char **at) {
  return chain(at, '*', '/', operand);
}

static struct expr *sum(const char **at) {
  return chain(at, '+', '-', product);
}

struct expr *expr_parse(const char *text) {
  struct expr *parsed = sum(&text);
  if (parsed && next(&text) != '\0') {
    expr_free(parsed);
    return 0;
  }
  return parsed;
}

void expr_free(struct expr *expr) {
  if (!expr) return;
  expr_free(expr->left);
  expr_free(expr->right);
  free(expr);
}
