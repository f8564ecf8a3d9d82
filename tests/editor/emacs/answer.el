;;; answer.el --- Somebody answers for the line  -*- lexical-binding: t; -*-

(steps-open (getenv "SOURCE"))
(steps-marked)
(let ((actions (steps-act "answer")))
  (steps-wait "no diagnostics" (lambda () (not (steps-diagnostics))))
  (steps-tell :actions (vconcat actions)))
