#include "eval.h"

#include <stdexcept>

namespace {

long compute(const expr &e, int depth) {
  if (depth > EVAL_MAX_DEPTH) throw std::runtime_error("too deep");
  if (e.op == '#') return e.number;
  long left = compute(*e.left, depth + 1);
  long right = compute(*e.right, depth + 1);
  switch (e.op) {
    case '+': return left + right;
    case '-': return left - right;
    case '*': return left * right;
    default:
      if (right == 0) throw std::runtime_error("division by zero");
      return left / right;
  }
}

}  // namespace

const char *eval(const expr *e, long *value) {
  static char message[64];
  try {
    *value = compute(*e, 0);
    return nullptr;
  } catch (const std::runtime_error &error) {
    int i = 0;
    for (const char *from = error.what(); *from && i < 63; ++from)
      message[i++] = *from;
    message[i] = '\0';
    return message;
  }
}
