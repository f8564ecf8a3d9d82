// Verifier checks what sage-git signs and proves with none of its code: golang.org/x/mod/sumdb/{note,tlog}, which is
// what the go command trusts the module checksum database with.
//
//	verifier inclusion VKEY PROOF LEAF      PROOF is a file in the form of C2SP tlog-proof@v1
//	verifier consistency VKEY OLD NEW       two checkpoints; the hashes of the proof on standard input, a line each
//	verifier trees N                        JSON: the roots of the trees over "leaf 0" … and all their proofs
//
// It exits with 0 if all is as it should be, and says why on standard error if not.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(command string, arguments []string) error {
	switch command {
	case "inclusion":
		return inclusion(arguments[0], arguments[1], arguments[2])
	case "consistency":
		return consistency(arguments[0], arguments[1], arguments[2])
	case "trees":
		return trees(arguments[0])
	}
	return errors.New("no such command: " + command)
}

func inclusion(vkey, file, leaf string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	above, checkpoint, found := bytes.Cut(content, []byte("\n\n"))
	if !found {
		return errors.New("no checkpoint")
	}
	lines := strings.Split(string(above), "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("no proof")
	}
	lines = lines[1:]
	if strings.HasPrefix(lines[0], "extra ") {
		lines = lines[1:]
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "index "), 10, 64)
	if err != nil {
		return err
	}
	proof, err := hashes(lines[1:])
	if err != nil {
		return err
	}
	size, root, err := open(vkey, checkpoint)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(tlog.RecordProof(proof), size, root, index, tlog.RecordHash([]byte(leaf)))
}

func consistency(vkey, older, newer string) error {
	var lines []string
	for input := bufio.NewScanner(os.Stdin); input.Scan(); {
		lines = append(lines, input.Text())
	}
	proof, err := hashes(lines)
	if err != nil {
		return err
	}
	before, err := os.ReadFile(older)
	if err != nil {
		return err
	}
	after, err := os.ReadFile(newer)
	if err != nil {
		return err
	}
	oldSize, oldRoot, err := open(vkey, before)
	if err != nil {
		return err
	}
	size, root, err := open(vkey, after)
	if err != nil {
		return err
	}
	return tlog.CheckTree(tlog.TreeProof(proof), size, root, oldSize, oldRoot)
}

// open verifies a checkpoint; the form is that of C2SP tlog-checkpoint.
func open(vkey string, content []byte) (int64, tlog.Hash, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return 0, tlog.Hash{}, err
	}
	opened, err := note.Open(content, note.VerifierList(verifier))
	if err != nil {
		return 0, tlog.Hash{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return 0, tlog.Hash{}, errors.New("not three lines, or of another log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return 0, tlog.Hash{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return size, root, err
}

func hashes(lines []string) ([]tlog.Hash, error) {
	var found []tlog.Hash
	for _, line := range lines {
		content, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(content) != tlog.HashSize {
			return nil, errors.New("no hash: " + line)
		}
		found = append(found, tlog.Hash(*(*[tlog.HashSize]byte)(content)))
	}
	return found, nil
}

type tree struct {
	Root        tlog.Hash
	Inclusion   [][]tlog.Hash
	Consistency [][]tlog.Hash
}

// trees prints what tlog makes of the first 1, 2, … N leaves.
func trees(count string) error {
	most, err := strconv.ParseInt(count, 10, 64)
	if err != nil {
		return err
	}
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var found []tlog.Hash
		for _, index := range indexes {
			found = append(found, stored[index])
		}
		return found, nil
	})
	output := json.NewEncoder(os.Stdout)
	for size := int64(1); size <= most; size++ {
		added, err := tlog.StoredHashes(size-1, []byte(fmt.Sprintf("leaf %d", size-1)), read)
		if err != nil {
			return err
		}
		stored = append(stored, added...)
		made := tree{}
		if made.Root, err = tlog.TreeHash(size, read); err != nil {
			return err
		}
		for number := int64(0); number < size; number++ {
			proof, err := tlog.ProveRecord(size, number, read)
			if err != nil {
				return err
			}
			made.Inclusion = append(made.Inclusion, proof)
			growth, err := tlog.ProveTree(size, number+1, read)
			if err != nil {
				return err
			}
			made.Consistency = append(made.Consistency, growth)
		}
		if err := output.Encode(made); err != nil {
			return err
		}
	}
	return nil
}
