;;; restore.el --- A chronicle is changed by hand, saved, and restored  -*- lexical-binding: t; -*-

(steps-open (getenv "SOURCE"))
(goto-char (point-min))
(forward-line 1)
(re-search-forward "\"timestamp\":\"20")
(replace-match "\"timestamp\":\"19")
(save-buffer)
(let* ((broken (steps-marked))
       (line (line-number-at-pos))
       (actions (steps-act "restore")))
  (steps-wait "the file as it was"
              (lambda ()
                (revert-buffer t t t)
                (save-excursion (goto-char (point-min)) (not (search-forward "\"timestamp\":\"19" nil t)))))
  (steps-tell :mode (symbol-name major-mode) :line line :message (flymake-diagnostic-text broken)
              :actions (vconcat actions)))
