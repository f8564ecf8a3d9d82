;;; sage-git.el --- The history of every line, from sage-git  -*- lexical-binding: t; -*-

;; Package-Requires: ((emacs "28.1"))
;; Version: 0.1.0
;; Keywords: vc, tools
;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; Registers the language server of sage-git with lsp-mode, where it works beside the server of the language, and with
;; eglot, which has one server for a buffer: there chronicles get it, and `sage-git-eglot' gives it to any other buffer.

;;; Code:

(defgroup sage-git nil
  "The history of every line."
  :group 'tools)

(defcustom sage-git-command '("sage-git" "lsp")
  "How the language server is started."
  :type '(repeat string))

(defvar eglot-server-programs)
(declare-function eglot "eglot")
(declare-function eglot-execute-command "eglot")
(defvar lsp-language-id-configuration)
(declare-function lsp-register-client "lsp-mode")
(declare-function lsp-stdio-connection "lsp-mode")
(declare-function make-lsp-client "lsp-mode")

(defvar sage-git-chronicle-font-lock
  '(("\"type\":\"\\(ROGUE_EDIT_DETECTED\\|HALT_AND_REPORT\\|PLAN_UNSAFE\\|EVENT_REDACTED\\)\"" 1 'warning t)
    ("\"type\":\"\\([A-Z_]+\\)\"" 1 'font-lock-keyword-face t)
    ("\"[0-9a-f]\\{40,64\\}\"" 0 'shadow t)
    ("\"[A-Za-z]+\":" . 'font-lock-variable-name-face))
  "How the lines of a chronicle look.")

;;;###autoload
(define-derived-mode sage-git-chronicle-mode text-mode "Chronicle"
  "One event a line, and none is ever rewritten."
  (setq-local truncate-lines t
              require-final-newline nil
              font-lock-defaults '(sage-git-chronicle-font-lock)))

;; SageMath's files end in .sage too, and are left alone.
;;;###autoload
(add-to-list 'auto-mode-alist '("\\(?:/\\.sage/.*\\|\\.[^./]+\\)\\.sage\\'" . sage-git-chronicle-mode))

(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs `(sage-git-chronicle-mode . ,sage-git-command)))

;;;###autoload
(defun sage-git-eglot ()
  "Ask sage-git about this buffer, instead of the server of its language."
  (interactive)
  (require 'eglot)
  (setq-local eglot-server-programs `((,major-mode . ,sage-git-command)))
  (call-interactively #'eglot))

(with-eval-after-load 'lsp-mode
  (add-to-list 'lsp-language-id-configuration '(sage-git-chronicle-mode . "sage-chronicle"))
  (lsp-register-client
   (make-lsp-client :new-connection (lsp-stdio-connection (lambda () sage-git-command))
                    :activation-fn (lambda (file &rest _) (locate-dominating-file file ".sage/config.toml"))
                    :add-on? t
                    :priority -2
                    :server-id 'sage-git)))

(provide 'sage-git)
;;; sage-git.el ends here
