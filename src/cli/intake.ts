import type { InputFile } from '../source/files/input-file.ts';

/** Takes files in for `spanplan learn`, of spans or of runs. */
export interface Intake {
  /**
   * Reads one file; what is wrong with it is noted, and the rest of it taken.
   * @throws StoreError where what was read before cannot be written.
   */
  read(file: InputFile): Promise<void>;
  /**
   * Learns what is left and waits until all is written.
   * @throws StoreError where it cannot be.
   */
  finish(): Promise<void>;
}
