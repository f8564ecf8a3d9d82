;;; steps.el --- What the scenarios beside this file share  -*- lexical-binding: t; -*-

;; A scenario is told by which client it goes: eglot.el and lsp-mode.el define the same functions, named `client-…'.

(require 'flymake)
(require 'json)
(setq create-lockfiles nil
      make-backup-files nil)

(declare-function client-start "client")
(declare-function client-actions "client")
(declare-function client-execute "client")
(declare-function client-complaints "client")
(declare-function client-stop "client")

(defun steps-wait (what look)
  "Go on once LOOK finds something, and give it; WHAT says what it is."
  (let ((deadline (+ (float-time) 20)) found)
    (while (and (not (setq found (funcall look))) (< (float-time) deadline))
      (accept-process-output nil 0.02))
    (or found (error "Waited in vain for %s" what))))

(defun steps-open (file)
  "Visit FILE, with the server."
  (find-file file)
  (client-start)
  (flymake-mode 1))

(defun steps-diagnostics ()
  "What is marked, the first line first."
  (flymake-start)
  (sort (flymake-diagnostics)
        (lambda (one other) (< (flymake-diagnostic-beg one) (flymake-diagnostic-beg other)))))

(defun steps-marked ()
  "The first diagnostic, and the cursor on it."
  (let ((marked (car (steps-wait "a diagnostic" #'steps-diagnostics))))
    (goto-char (flymake-diagnostic-beg marked))
    marked))

(defun steps-act (title)
  "Do the action whose name has TITLE; gives the names of all."
  (let* ((actions (client-actions))
         (wanted (seq-find (lambda (action) (string-search title (downcase (car action)))) actions)))
    (unless wanted (error "No action like %s: %S" title (mapcar #'car actions)))
    (client-execute (cdr wanted))
    (mapcar #'car actions)))

(defun steps-tell (&rest seen)
  "Print SEEN, a property list, and what the client complained of, as JSON, and leave."
  (princ (json-encode-plist (append seen (list :complaints (vconcat (client-complaints))))))
  (client-stop)
  (kill-emacs 0))
